"""The container file and the compose file name what is there."""

import re

import pytest
import yaml
from django.conf import settings

COMPOSE = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())
CONTAINERFILE = (settings.BASE_DIR / "Containerfile").read_text()
SETTINGS = (settings.BASE_DIR / "config" / "settings.py").read_text()
SITE = ("setup", "web", "worker", "beat")


def test_everything_that_the_image_copies_is_there():
    copied = re.findall(r"^COPY (\S+) ", CONTAINERFILE, re.MULTILINE)
    ignored = (settings.BASE_DIR / ".dockerignore").read_text().split()

    for name in copied:
        if not name.startswith("--"):
            assert (settings.BASE_DIR / name).exists(), name
            assert f"!{name}" in ignored


@pytest.mark.parametrize("app", ["loyalty", "campaigns", "activities", "templates"])
def test_the_image_holds_every_part_of_the_site(app):
    assert f"COPY {app} {app}" in CONTAINERFILE


@pytest.mark.parametrize("service", SITE)
def test_every_variable_of_the_site_is_one_that_the_settings_read(service):
    for name in COMPOSE["services"][service]["environment"]:
        assert f'"{name}"' in SETTINGS, name


def test_what_production_requires_is_set():
    required = re.findall(r"_environment\.require\(([^)]*)\)", SETTINGS)
    names = set(re.findall(r'"(\w+)"', " ".join(required)))

    assert names <= COMPOSE["services"]["web"]["environment"].keys()


def test_every_service_starts_again_but_the_one_that_prepares():
    policies = {
        name: service["restart"] for name, service in COMPOSE["services"].items()
    }

    assert policies.pop("setup") == "no"
    assert set(policies.values()) == {"unless-stopped"}


def test_images_are_pinned_to_a_version():
    images = [one["image"] for one in COMPOSE["services"].values()]

    assert all(re.search(r":\d+$", image) for image in images if image != "loyalty")
