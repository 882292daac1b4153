"""What the environment may hold and how the rest is refused."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import (
    Environment,
    cache,
    origins,
    postgresql,
    secret,
    sql_broker,
    truth,
    whole_number,
)

PRODUCTION = {
    "DATABASE_URL": "postgresql://loyalty:secret@database:5432/loyalty",
    "CELERY_BROKER_URL": "amqp://broker",
    "CACHE_URL": "redis://cache:6379/1",
    "SECRET_KEY": "".join(map(str, range(60))),
    "ALLOWED_HOSTS": "points.example.com",
}
READ_BY_SETTINGS = {
    *PRODUCTION,
    *("DEBUG", "LOCAL", "PORT", "LOG_LEVEL", "DATA_FOLDER", "CSRF_TRUSTED_ORIGINS"),
}
FOR_BROWSER_TESTS = {"DJANGO_ALLOW_ASYNC_UNSAFE"}


def django(*arguments, **variables):
    """Run a command of Django's with these variables and no others of ours."""
    ours = READ_BY_SETTINGS | FOR_BROWSER_TESTS
    inherited = {k: v for k, v in os.environ.items() if k not in ours}
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments, "--settings=config.settings"],
        env={**inherited, "PYTHONPATH": ".", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(run):
    return run.stderr.strip().splitlines()[-1]


def test_everything_missing_and_malformed_is_refused_by_name_in_one_error():
    run = django(
        "check",
        DATABASE_URL="mysql://database/loyalty",
        PORT="eighty",
        DEBUG="perhaps",
        LOG_LEVEL="loud",
    )

    assert run.returncode == 1
    assert last_line(run) == (
        "django.core.exceptions.ImproperlyConfigured: The environment cannot be used: "
        "ALLOWED_HOSTS is missing; "
        "CACHE_URL is missing; "
        "CELERY_BROKER_URL is missing; "
        "DATABASE_URL must start with postgresql://: no other database is spoken; "
        "DEBUG must be true or false, not 'perhaps'; "
        "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'loud'; "
        "PORT must be a whole number, not 'eighty'; "
        "SECRET_KEY is missing."
    )


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"DATABASE_URL"}))
def test_production_does_not_start_without(name):
    run = django("check", **{k: v for k, v in PRODUCTION.items() if k != name})

    assert last_line(run).endswith(
        f"The environment cannot be used: {name} is missing."
    )


def test_production_settings_pass_the_deployment_check():
    run = django("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert run.returncode == 0, run.stderr


def test_nothing_is_required_without_a_database_address():
    run = django("check")

    assert run.returncode == 0, run.stderr


def test_a_local_site_may_use_other_servers_and_need_nothing_else():
    run = django("check", DATABASE_URL=PRODUCTION["DATABASE_URL"], LOCAL="true")

    assert run.returncode == 0, run.stderr


def test_an_empty_variable_counts_as_missing():
    environment = Environment({"PORT": " "})

    assert environment.read("PORT", whole_number(1, 9), 8) == 8
    assert not environment.has("PORT")


def test_a_malformed_variable_does_not_hide_the_next():
    environment = Environment({"PORT": "x", "DEBUG": "y"})

    environment.read("PORT", whole_number(1, 9), 8)
    environment.read("DEBUG", truth, default=False)

    with pytest.raises(ImproperlyConfigured, match=r"DEBUG must .*; PORT must "):
        environment.refuse_problems()


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        pytest.param(truth, "2", id="a number is no claim"),
        pytest.param(whole_number(1, 9), "10", id="above the bound"),
        pytest.param(whole_number(1, 9), "1.5", id="a fraction"),
        pytest.param(whole_number(1, 9), "٣", id="digits of another script"),
        pytest.param(origins, "points.example.com", id="an origin without scheme"),
        pytest.param(origins, "https://a.example/path", id="an origin with a path"),
        pytest.param(secret, "x" * 60, id="a secret of one letter"),
        pytest.param(secret, "abcdefgh", id="a short secret"),
        pytest.param(postgresql, "postgresql://host", id="no database name"),
        pytest.param(postgresql, "postgresql://host:port/name", id="a port in words"),
        pytest.param(cache, "nonsense://host", id="a cache nobody knows"),
    ],
)
def test_refused(parse, text):
    with pytest.raises(ValueError, match=r"^(must|cannot) "):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("NO", False), ("off", False)]
)
def test_words_for_yes_and_no(text, value):
    assert truth(text) is value


def test_a_broker_beside_another_database_stands_in_its_own_schema():
    assert sql_broker("postgres://u:p@h/name?sslmode=require", "queues") == (
        "sqla+postgresql+psycopg://u:p@h/name"
        "?sslmode=require&options=-csearch_path%3Dqueues"
    )
