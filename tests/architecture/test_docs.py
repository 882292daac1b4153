"""The documents name only what is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.db import connection

from loyalty.engine.decisions import Reason

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BY_NAME = {str(page.relative_to(ROOT)): page for page in PAGES}


@pytest.fixture(params=BY_NAME)
def page(request):
    return BY_NAME[request.param]


def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    inside = [target for target in targets if "://" not in target]

    assert [one for one in inside if not (page.parent / one).exists()] == []


def test_commands_exist(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))

    assert named <= get_commands().keys()


def test_make_has_the_targets_that_are_named(page):
    named = set(re.findall(r"`make ([a-z]+)`", page.read_text()))
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )

    assert named <= targets


def test_every_variable_that_settings_read_is_documented():
    source = (ROOT / "config/settings.py").read_text()
    read = set(re.findall(r'_environment\.read\(\s*"([A-Z_]+)"', source))
    told = set(re.findall(r"`([A-Z_]{4,})`", (ROOT / "docs/operating.md").read_text()))

    assert read - told == set()


@pytest.mark.django_db
def test_the_queries_for_analysts_run():
    queries = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs/analysts.md").read_text(), re.DOTALL
    )

    assert queries
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)


@pytest.mark.django_db
def test_the_tables_for_analysts_exist():
    named = set(
        re.findall(
            r"^\| `([a-z_]+)`", (ROOT / "docs/analysts.md").read_text(), re.MULTILINE
        )
    )

    assert named <= set(connection.introspection.table_names())


def test_the_map_in_the_readme_names_the_folders():
    map_of_it = re.search(
        r"```\n(config/.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    named = re.findall(r"^([a-z]+)/", map_of_it[1], re.MULTILINE)

    assert named == [one for one in named if (ROOT / one).is_dir()]


def test_every_reason_why_an_offer_did_not_pay_is_published():
    rows = re.findall(
        r"^\| ((?:`[a-z_]+` ?)+) \|",
        (ROOT / "docs/clients.md").read_text(),
        re.MULTILINE,
    )
    published = set(re.findall(r"`([a-z_]+)`", " ".join(rows)))

    assert {one.value for one in Reason} <= published
