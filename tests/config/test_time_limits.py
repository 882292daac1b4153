"""What a process may ask of the database, and what happens beyond it."""

import os

import pytest

from config.environment import time_limits_of


@pytest.mark.parametrize(
    ("command_line", "expected"),
    [
        (["/venv/bin/granian", "config.rsgi:application"], (30, 10, 60)),
        (["/venv/bin/celery", "--app", "config", "worker"], (3_600, 60, 900)),
        (["manage.py", "migrate"], (0, 15, 0)),
        (["manage.py", "check_ledger"], (0, 0, 0)),
        ([], (30, 10, 60)),
    ],
)
def test_each_kind_of_process_has_its_own(command_line, expected):
    assert time_limits_of(command_line) == expected


PRINT = (
    "import sys; sys.argv = ['granian']; from django.conf import settings;"
    " print(settings.DATABASES['default']['OPTIONS'].get('options'),"
    " settings.DATABASES['default']['DISABLE_SERVER_SIDE_CURSORS'])"
)


def test_behind_a_pooler_nothing_is_asked_for_at_the_start_of_a_connection():
    import subprocess
    import sys

    def told(**variables):
        names = {"DATABASE_URL": "postgresql://u:p@h/n", "LOCAL": "true", **variables}
        run = subprocess.run(
            [sys.executable, "-c", PRINT],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **names},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    assert told() == (
        "-c statement_timeout=30s -c lock_timeout=10s"
        " -c idle_in_transaction_session_timeout=60s False"
    )
    assert told(DATABASE_BEHIND_POOLER="true") == "None True"
