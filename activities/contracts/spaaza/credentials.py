"""Who calls: a member, one of the staff, or a client with an API key.

Steps 1 and 2 of the checks: credentials, then the host name of the app. What is
wrong with several of them at once is told in the order 6, 265, 266, 228.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from activities.contracts.spaaza.codes import refusal
from activities.models import MemberApp
from activities.services.logins import login_with
from loyalty.api.authentication import Caller
from loyalty.api.contract import ContractAuthentication
from loyalty.api.problems import Problem
from loyalty.services import clock
from loyalty.services.members import UnknownIdentity, member_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from rest_framework.request import Request

    from activities.models import LoginSession
    from loyalty.models import Member

SESSION_USER_ID = "X-Spaaza-Session-User-Id"
SESSION_USERNAME = "X-Spaaza-Session-Username"
SESSION_KEY = "X-Spaaza-Session-Key"
JWT = "X-Spaaza-Access-Token-JWT"
#: The seed's spelling first; the other one is that of older pages.
APP_HOSTNAMES = ("X-Spaaza-MyPrice-App-Hostname", "X-MyPrice-App-Hostname")
_BEARER = re.compile(r"Bearer +([!-~]+)", re.ASCII | re.IGNORECASE)
_HOSTNAME = re.compile(r"[a-z0-9._:-]{1,253}", re.ASCII)
#: By which identities a member may be named beside a session key.
_USERNAME_KINDS = ("username", "email")
_USER_ID = re.compile(r"\d{1,18}", re.ASCII)


class Mode(StrEnum):
    """How somebody authenticated; interactions keep it."""

    USER = "user"
    ADMIN = "admin"
    PRIVILEGED = "privileged"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who calls, and for whom that may be.

    ``member_id`` is the member that a user is, ``staff`` the person that an
    administrator is. ``program_id`` is what the credentials belong to; None for
    administrators, who name it. ``app_program_id`` is whose the app is; None if no
    app is named.
    """

    mode: Mode
    actor: str
    program_id: int | None = None
    member_id: int | None = None
    staff: User | None = None
    app_program_id: int | None = None


class SpaazaAuthentication(ContractAuthentication):
    """Finds out who calls by session, token or key, and from which app."""

    prefix = "spaaza-"

    def authenticate(self, request: Request) -> tuple[Any, Caller]:
        """Return the credentials, and the caller for the counting of calls.

        Raises:
            Problem: one of the codes of the steps 1 and 2.
        """
        sent = _Sent(request.META)
        login = sent.login()
        key = sent.bearer()
        caller = None if key is None else self._caller_of(key)
        token = sent.token_login()
        sent.check_kinds(login)

        if caller is not None:
            app = sent.app(is_needed=False)
            found = Credentials(
                Mode.PRIVILEGED, caller.actor, caller.program_id, app_program_id=app
            )
            return found, caller
        session = login or token
        if session is None:
            raise refusal("no_valid_session")
        return _of_session(session, sent), _counted(session)

    def _caller_of(self, key: str) -> Caller:
        try:
            return self._identify(key)
        except Problem:
            raise refusal("access_token_invalid") from None


class _Sent:
    """The headers that say who calls."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._meta = meta
        self._now = clock.now()

    def _header(self, name: str) -> str | None:
        value = self._meta.get(f"HTTP_{name.upper().replace('-', '_')}")
        return None if value is None else str(value).strip()

    @property
    def _has_session(self) -> bool:
        names = (SESSION_USER_ID, SESSION_USERNAME, SESSION_KEY)
        return any(self._header(name) is not None for name in names)

    @property
    def has_app(self) -> bool:
        """Whether the host name of an app is there."""
        return bool(self._hostname())

    def login(self) -> LoginSession | None:
        """Return the session of the session headers; None if there are none."""
        if not self._has_session:
            other = ("Authorization", JWT)
            if all(self._header(name) is None for name in other):
                raise refusal("no_valid_session")
            return None
        session = login_with(self._header(SESSION_KEY) or "", now=self._now)
        number, name = self._header(SESSION_USER_ID), self._header(SESSION_USERNAME)
        if session is None or (number is None and name is None):
            raise refusal("no_valid_session")
        if number is not None and not _has_number(session, number):
            raise refusal("no_valid_session")
        if name is not None and not _has_name(session, name):
            raise refusal("no_valid_session")
        return session

    def bearer(self) -> str | None:
        """Return the key of the Authorization header; None if there is none."""
        header = self._header("Authorization")
        if header is None:
            return None
        match = _BEARER.fullmatch(header)
        if match is None:
            raise refusal("authorization_invalid")
        return match[1]

    def token_login(self) -> LoginSession | None:
        """Return the member's session whose key is sent as an access token."""
        token = self._header(JWT)
        if token is None:
            return None
        session = login_with(token, now=self._now)
        if session is None or session.member_id is None:
            raise refusal("access_token_invalid")
        return session

    def check_kinds(self, login: LoginSession | None) -> None:
        """Refuse credentials of several kinds, and staff who call from an app."""
        other = ("Authorization", JWT)
        kinds = [self._has_session, *(self._header(one) is not None for one in other)]
        if sum(kinds) > 1:
            raise refusal(
                "auth_method_invalid", "Authenticate in one way only, not in several."
            )
        if login is not None and login.user_id is not None and self.has_app:
            raise refusal(
                "auth_method_invalid",
                "A session of the staff is sent without the host name of an app.",
            )

    def app(self, *, is_needed: bool) -> int | None:
        """Return whose the app is, None if none is named; step 2."""
        hostname = self._hostname()
        if not hostname:
            if is_needed:
                raise refusal("no_myprice_app")
            return None
        is_name = _HOSTNAME.fullmatch(hostname) is not None
        row = MemberApp.objects.filter(hostname=hostname).first() if is_name else None
        if row is None:
            raise refusal("myprice_app_not_found")
        if row.program_id is None:
            raise refusal("myprice_app_without_entity")
        return row.program_id

    def _hostname(self) -> str:
        names = (self._header(name) for name in APP_HOSTNAMES)
        return next((name.lower() for name in names if name), "")


def _has_number(session: LoginSession, number: str) -> bool:
    if not _USER_ID.fullmatch(number):
        return False
    return int(number) == (session.member_id or session.user_id)


def _has_name(session: LoginSession, name: str) -> bool:
    """Whether the session is that of the member or staff user with this name."""
    if session.user is not None:
        return session.user.get_username() == name
    if session.member is None or not name or not name.isprintable():
        return False
    return any(_is_called(session.member, kind, name) for kind in _USERNAME_KINDS)


def _is_called(member: Member, kind: str, name: str) -> bool:
    try:
        return member_with(member.program_id, kind, name).pk == member.pk
    except UnknownIdentity:
        return False


def _of_session(session: LoginSession, sent: _Sent) -> Credentials:
    if session.member is None:
        return Credentials(
            Mode.ADMIN, f"{session.user} by session {session.pk}", staff=session.user
        )
    return Credentials(
        Mode.USER,
        f"Member {session.member_id} by session {session.pk}",
        session.member.program_id,
        session.member_id,
        app_program_id=sent.app(is_needed=True),
    )


def _counted(session: LoginSession) -> Caller:
    """Return what the counting of calls takes for a caller: the session."""
    return Caller(
        key_id=bytes(session.digest).hex(),
        name=f"Session {session.pk}",
        program_id=session.member.program_id if session.member else 0,
        zone=UTC,
        naive_policy="",
        can_read=False,
        can_write=False,
    )
