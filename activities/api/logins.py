"""Sessions in which members and staff interact by themselves.

Made for clients of Spaaza: they send what is answered here as
``X-Spaaza-Session-User-Id`` and ``X-Spaaza-Session-Key``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.response import Response

from activities.api import documents
from activities.api.commands import check_members
from activities.api.members import member_in
from activities.models import LoginSession
from activities.services import logins
from loyalty.api.fields import moment_text
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import STATUS_OF_REFUSAL, invalid, invalid_at, wrong
from loyalty.api.views import ProgramViewSet
from loyalty.models import Program
from loyalty.services import clock

if TYPE_CHECKING:
    from rest_framework.request import Request

STATUS_OF_REFUSAL.update({"unknown_staff": 422})

_MEMBERS = frozenset({"member", "hours", "staff"})
_CREDENTIALS = ("username", "password")
_STAFF = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in _CREDENTIALS},
    "required": list(_CREDENTIALS),
    "additionalProperties": False,
}
_TEXT_CHARACTERS_MAX = 150


@extend_schema_field(_STAFF)
class Staff(serializers.Field[Any, Any, Any, Any]):
    """One of the staff; only described, never run."""


class NewLogin(serializers.Serializer[Any]):
    """Who logs in: a member, or one of the staff."""

    member = documents.Actor(required=False)
    hours = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=logins.HOURS_MAX,
        help_text="How long a member's session lasts; left out, as long as the "
        "program says. Sessions of staff last 12 hours.",
    )
    staff = Staff(required=False)


class Login(serializers.Serializer[Any]):
    """A session; its key is told here and nowhere else."""

    id = serializers.IntegerField()
    session_user_id = serializers.IntegerField()
    session_key = serializers.CharField()
    opened_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class LoginViewSet(mixins.DestroyModelMixin, ProgramViewSet):
    """Sessions of members and staff, for contracts in which they call themselves.

    A member's session belongs to the program of the key; one of the staff opens what
    that person may do. Nothing is stored to be replayed: the key is told once.
    """

    queryset = LoginSession.objects.all()
    program_path = "member__program_id"
    serializer_class = Login
    permission_classes = [HasScope, IsForEveryUnit]
    http_method_names = ["post", "delete"]

    @extend_schema(request=NewLogin, responses={201: Login})
    def create(self, request: Request) -> Response:
        """Log in a member, or one of the staff with name and password."""
        body = self.check_object_body(request)
        check_members(body, _MEMBERS, "")
        given = [name for name in ("member", "staff") if body.get(name) is not None]
        if len(given) != 1:
            raise invalid_at("", "ambiguous", "Name either a member or one of staff.")
        now = clock.now()
        log_in = self._log_in_member if given == ["member"] else self._log_in_staff
        return Response(_written(log_in(body, now)), status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Log a member out: the session's key opens nothing from now on."""
        return super().destroy(request, *args, **kwargs)

    def _log_in_member(self, body: dict[str, Any], now: datetime) -> logins.OpenedLogin:
        hours = body.get("hours")
        if hours is None:
            program = Program.objects.get(pk=self.caller.program_id)
            hours = program.session_hours
        elif isinstance(hours, bool) or not isinstance(hours, int):
            raise invalid_at("/hours", "invalid_number", "Write a whole number.")
        elif not 1 <= hours <= logins.HOURS_MAX:
            detail = f"From 1 to {logins.HOURS_MAX} hours."
            raise invalid_at("/hours", "out_of_range", detail)
        member = member_in(self.caller.program_id, body["member"])
        return logins.log_in_member(
            member, hours=hours, opened_by=self.caller.actor, now=now
        )

    def _log_in_staff(self, body: dict[str, Any], now: datetime) -> logins.OpenedLogin:
        if body.get("hours") is not None:
            detail = "Sessions of staff all last equally long."
            raise invalid_at("/hours", "not_for_staff", detail)
        username, password = _credentials(body["staff"])
        user = authenticate(self.request._request, username=username, password=password)
        if not isinstance(user, User):
            raise logins.NoStaff("No such member of staff may log in.", field="staff")
        return logins.log_in_staff(user, opened_by=self.caller.actor, now=now)


def _credentials(value: Any) -> tuple[str, str]:
    check_members(value, frozenset(_CREDENTIALS), "/staff")
    texts = [value.get(name) for name in _CREDENTIALS]
    errors = [
        wrong(f"/staff/{name}", "not_text", "Text of at most 150 characters.")
        for name, text in zip(_CREDENTIALS, texts, strict=True)
        if not isinstance(text, str) or not 1 <= len(text) <= _TEXT_CHARACTERS_MAX
    ]
    if errors:
        raise invalid(errors)
    return str(texts[0]), str(texts[1])


def _written(opened: logins.OpenedLogin) -> dict[str, Any]:
    session = opened.session
    return {
        "id": session.pk,
        "session_user_id": session.member_id or session.user_id,
        "session_key": opened.key,
        "opened_at": moment_text(session.opened_at),
        "expires_at": moment_text(session.expires_at),
    }
