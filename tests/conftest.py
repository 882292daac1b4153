"""Plumbing of the test run: database server, order of tests, browser."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from config import private_postgres
from loyalty.services import clock

IS_CI = os.environ.get("CI", "").lower() == "true"
CHROMIUM = Path(os.environ.get("CHROMIUM") or "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
]


def pytest_collection_modifyitems(items):
    """Run the slow tests last, so that a red fast one shows early.

    Tests that empty the database come after all others: what migrations ship is
    gone then.
    """
    items.sort(
        key=lambda item: (_empties(item), item.get_closest_marker("slow") is not None)
    )


def _empties(item):
    marker = item.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        return True
    return not {"transactional_db", "live_server"}.isdisjoint(
        getattr(item, "fixturenames", ())
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Start the private PostgreSQL for the first test that needs a database."""
    if settings.USES_PRIVATE_POSTGRES:
        private_postgres.ensure_running()


@pytest.fixture(autouse=True)
def host_clock(request, monkeypatch):
    """Let time travel reach what goes by the database's clock, which cannot travel."""
    if request.node.get_closest_marker("database_clock") is None:
        monkeypatch.setattr(clock, "now", lambda: datetime.now(tz=UTC))


def absent(what):
    """Skip the test because a server is absent; under CI, fail."""
    if IS_CI:
        pytest.fail(f"{what} is absent, and continuous integration must have it")
    pytest.skip(f"{what} is absent")


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright; for tests marked ``browser``."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; CHROMIUM may name another")

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        chromium.close()
