"""What the two commands install is locked, and is what the project asks for."""

import re
import tomllib

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
RUN = PROJECT["dependencies"]
DEV = [*RUN, *PROJECT["optional-dependencies"]["dev"]]
ASKED = [("requirements.txt", one) for one in RUN]
ASKED += [("requirements-dev.txt", one) for one in DEV]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", re.MULTILINE)


def pins_of(name: str) -> dict[str, set[str]]:
    """Return the locked versions by package; several where Pythons differ."""
    found: dict[str, set[str]] = {}
    for package, version in _PIN.findall((settings.BASE_DIR / name).read_text()):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


@pytest.mark.parametrize(("lock", "text"), ASKED)
def test_everything_asked_for_is_locked_within_its_range(lock, text):
    asked = Requirement(text)

    versions = pins_of(lock).get(canonicalize_name(asked.name), set())

    assert versions, f"`make lock` was not run after {text} was added"
    assert all(version in asked.specifier for version in versions)


def test_both_locks_agree():
    dev = pins_of("requirements-dev.txt")

    assert all(
        dev[name] == versions for name, versions in pins_of("requirements.txt").items()
    )


@pytest.mark.parametrize(
    "lock", ["requirements.txt", "requirements-dev.txt", "requirements-demo.txt"]
)
def test_every_locked_file_has_a_hash_and_no_lock_names_a_host(lock):
    text = (settings.BASE_DIR / lock).read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())

    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
