"""Sessions and tokens that ended are forgotten in the background."""

from datetime import timedelta

import pytest
import time_machine

from loyalty.models import AccessToken, ClientSession
from loyalty.services.access_tokens import keep_access_token
from loyalty.services.sessions import Opening, open_session
from loyalty.tasks import forget_sessions
from tests.builders import NOON, make_program
from tests.callers import make_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("days", "sessions", "tokens"), [(0, 1, 1), (1, 1, 0), (31, 1, 0), (32, 0, 0)]
)
def test_what_ended_long_ago_is_forgotten(days, sessions, tokens):
    program = make_program()
    open_session(program.pk, Opening("s-1", "APP"), now=NOON)
    keep_access_token(b"x" * 32, make_key(program)[0].pk, frozenset(), now=NOON)

    with time_machine.travel(NOON + timedelta(days=days), tick=False):
        forget_sessions()

    assert ClientSession.objects.count() == sessions
    assert AccessToken.objects.count() == tokens
