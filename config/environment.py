"""Typed reading of environment variables, with every refusal in one error."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

WORDS_FOR_TRUE = {"true", "yes", "on", "1"}
WORDS_FOR_FALSE = {"false", "no", "off", "0"}
NO_WORDS: list[str] = []
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Environment:
    """Variables of one process; an empty variable counts as a missing one.

    ``refuse_problems`` is called once, after the last ``read``: until then a
    missing or malformed variable yields its default, or None where it has none.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Read from ``variables``, usually ``os.environ``."""
        self._variables = variables
        self._problems: list[str] = []

    def has(self, name: str) -> bool:
        """Whether the variable is set to something."""
        return bool(self._variables.get(name, "").strip())

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return the parsed variable, or ``default`` when it is not set."""
        if not self.has(name):
            return default

        try:
            return parse(self._variables[name].strip())
        except ValueError as error:
            self._problems.append(f"{name} {error}")
            return default

    def require(self, *names: str) -> None:
        """Note each of ``names`` that is not set."""
        for name in names:
            if not self.has(name):
                self._problems.append(f"{name} is missing")

    def refuse_problems(self) -> None:
        """Raise one error that names everything missing or malformed."""
        if self._problems:
            raise ImproperlyConfigured(
                "The environment cannot be used: "
                + "; ".join(sorted(self._problems))
                + "."
            )


def truth(text: str) -> bool:
    """Return what a word for yes or no means."""
    if text.lower() in WORDS_FOR_TRUE:
        return True
    if text.lower() in WORDS_FOR_FALSE:
        return False
    raise ValueError(f"must be true or false, not {text!r}")


def whole_number(at_least: int, at_most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within inclusive bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII):
            raise ValueError(f"must be a whole number, not {text!r}")
        if not at_least <= int(text) <= at_most:
            raise ValueError(f"must be from {at_least} to {at_most}, not {text}")
        return int(text)

    return parse


def listed(text: str) -> list[str]:
    """Return the comma-separated words, without blanks."""
    return [word.strip() for word in text.split(",") if word.strip()]


def origins(text: str) -> list[str]:
    """Return comma-separated origins, each with its scheme."""
    found = listed(text)
    for origin in found:
        if not re.fullmatch(r"https?://[^/\s]+", origin):
            raise ValueError(
                f"must hold origins such as https://points.example.com, not {origin!r}"
            )
    return found


def secret(text: str) -> str:
    """Return a secret that is long and varied enough to sign with."""
    if len(text) < 50 or len(set(text)) < 5 or text.startswith("django-insecure-"):
        raise ValueError("must be at least 50 random characters")
    return text


def log_level(text: str) -> str:
    """Return the name of a log level."""
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {text!r}")
    return text.upper()


def postgresql(text: str) -> dict[str, Any]:
    """Return Django's settings of a ``postgresql://`` address."""
    if not re.match(r"postgres(ql)?://", text):
        raise ValueError("must start with postgresql://: no other database is spoken")
    try:
        found = dict(environ.Env.db_url_config(text))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("cannot be read as a database address") from error
    if not found.get("NAME"):
        raise ValueError("must name a database")
    return found


def cache(text: str) -> dict[str, Any]:
    """Return Django's settings of a cache address."""
    try:
        return dict(environ.Env.cache_url_config(text))
    except (ValueError, KeyError, TypeError, ImproperlyConfigured) as error:
        raise ValueError("cannot be read as a cache address") from error


def broker(text: str) -> str:
    """Return the address of a broker that Celery knows."""
    if not re.match(
        r"(amqps?|rediss?|redis\+socket|sentinel|memory|sqla\+postgresql\S*)://", text
    ):
        raise ValueError("must start with amqp://, redis:// or sqla+postgresql://")
    return text


def sql_broker(database_url: str, schema: str = "") -> str:
    """Return the address of a broker whose tables stand in that database.

    With ``schema`` they stand there, and it must exist: ``manage.py serve``
    creates it. The tables make themselves.
    """
    address = re.sub(r"^[^:]*://", "sqla+postgresql+psycopg://", database_url.strip())
    if not schema:
        return address
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}options=-csearch_path%3D{schema}"


def time_limits_of(command_line: Sequence[str]) -> tuple[int, int, int]:
    """Return what a process may ask of the database, in seconds; 0 is no limit.

    For one statement, for a lock, and for a transaction in which nothing happens.
    Web processes answer or say that they are busy; workers sort whole files; a
    migration must not stand in front of everybody while it waits for its turn.
    """
    program = PurePath(command_line[0]).name if command_line else ""
    if program == "celery":
        return 3_600, 60, 900
    if "migrate" in command_line[1:2]:
        return 0, 15, 0
    if program in {"manage.py", "django-admin", "pytest", "__main__.py"}:
        return 0, 0, 0
    return 30, 10, 60
