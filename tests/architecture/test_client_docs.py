"""What docs/clients.md shows works as it stands there."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from activities.models import Activity
from tests import builders
from tests.callers import make_key

PAGE = Path(settings.BASE_DIR, "docs", "clients.md")
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Numbers that differ from one installation to the next.
NUMBERS = {"id", "member"}
# The command that shows a refusal, by a word of it.
STATUS_OF = {"1e3": 400, "PURCHES": 207}


def blocks():
    return [match.groups() for match in BLOCK.finditer(PAGE.read_text())]


@pytest.fixture
def program(db):
    """The demo's program as far as the page speaks of it."""
    program = builders.make_program(time_zone="America/Phoenix")
    builders.make_type(program)
    builders.make_channel(program, "STORE")
    builders.make_campaign(program, points=10, cap_count=1, frequency_period_id=2)
    builders.make_member(program, "1")
    return program


def sent(command, variables):
    """Return the answer to a curl command."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    address, headers, body, method = "", {}, None, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "-X":
            method = next(words)
        elif word != "-s":
            address = word
    content_type = headers.pop("Content-Type", "")
    method = method or ("GET" if body is None else "POST")
    return Client().generic(
        method, address, body or "", content_type=content_type, headers=headers
    )


def without_numbers(value):
    if isinstance(value, dict):
        return {
            name: None if name in NUMBERS else without_numbers(one)
            for name, one in value.items()
        }
    return [without_numbers(one) for one in value] if isinstance(value, list) else value


def test_every_request_on_the_page_works_and_answers_as_shown(program):
    _, key = make_key(program)
    card = builders.make_campaign(program, context="interaction")
    draft = builders.make_campaign(program, is_enabled=False)
    measured = builders.make_campaign(
        program, is_enabled=False, holdout_percent=10, starts_at=builders.NOON
    )
    answer: Any = None
    requests = 0

    for language, text in blocks():
        if language == "json":
            assert without_numbers(answer.json()) == without_numbers(json.loads(text))
        elif text.startswith("curl"):
            first = Activity.objects.order_by("pk").first()
            variables = {
                "SITE": "",
                "KEY": key,
                "ID": str(first.pk if first else 0),
                "CAMPAIGN": str(card.pk),
                "MEMBER": str(program.member_set.get(identities__value="1").pk),
                "DRAFT": str(draft.pk),
                "MEASURED": str(measured.pk),
            }
            answer = sent(text, variables)
            expected = next((v for k, v in STATUS_OF.items() if k in text), None)
            accepted = {expected} if expected else {200, 201}
            assert answer.status_code in accepted, f"{text}\n{answer.content.decode()}"
            requests += 1

    assert requests >= 9
