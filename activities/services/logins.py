"""Sessions of people who interact by themselves: members and staff.

A session is a random key; who shows it together with the person's number is that
person until it ends. There is nothing to extend: a new one is opened instead.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from activities.models import LoginSession
from activities.services.commands import BlockedMember
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from loyalty.models import Member

HOURS_MAX = 30 * 24
# A working day; staff log in again the next morning.
STAFF_LASTS = timedelta(hours=12)


class NoStaff(LoyaltyError):
    """Nobody of the staff has this name and password, or may log in."""

    code = "unknown_staff"


@dataclass(frozen=True, slots=True)
class OpenedLogin:
    """A session and its key, which is told this one time."""

    session: LoginSession
    key: str


def log_in_member(
    member: Member, *, hours: int, opened_by: str, now: datetime
) -> OpenedLogin:
    """Open a session for a member.

    Raises:
        BlockedMember: the member is blocked.
    """
    if member.is_blocked:
        raise BlockedMember("This member is blocked.", field="member")
    return _opened(
        LoginSession(member=member, expires_at=now + timedelta(hours=hours)),
        opened_by,
        now,
    )


def log_in_staff(user: User, *, opened_by: str, now: datetime) -> OpenedLogin:
    """Open a session for one of the staff, whose password was checked.

    Raises:
        NoStaff: the account is closed, or is not one of the staff's.
    """
    if not (user.is_active and user.is_staff):
        raise NoStaff("No such member of staff may log in.", field="staff")
    return _opened(
        LoginSession(
            user=user,
            password_mark=user.get_session_auth_hash(),
            expires_at=now + STAFF_LASTS,
        ),
        opened_by,
        now,
    )


def login_with(key: str, *, now: datetime) -> LoginSession | None:
    """Return the session that has this key, with its person; None if none has.

    Sessions that ended are none, nor are those of staff who may not log in any
    more or have another password since, or of members whose program is switched off.
    """
    session = (
        LoginSession.objects.select_related("member__program", "user")
        .filter(digest=digest_of(key), expires_at__gt=now)
        .first()
    )
    if session is None:
        return None
    if session.user is not None:
        is_open = _may_go_on(session, session.user)
    else:
        is_open = session.member is not None and session.member.program.is_enabled
    return session if is_open else None


def _may_go_on(session: LoginSession, user: User) -> bool:
    has_same_password = secrets.compare_digest(
        session.password_mark, user.get_session_auth_hash()
    )
    return user.is_active and user.is_staff and has_same_password


def digest_of(key: str) -> bytes:
    """Return what is kept of a key. Keys are random: no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def end_login(session: LoginSession) -> None:
    """Log out: the key opens nothing from now on."""
    session.delete()


def forget_ended_logins(*, at: datetime) -> int:
    """Delete the sessions that ended; return how many."""
    count, _ = LoginSession.objects.filter(expires_at__lte=at).delete()
    return count


def _opened(session: LoginSession, opened_by: str, now: datetime) -> OpenedLogin:
    key = secrets.token_urlsafe(32)
    session.digest = digest_of(key)
    session.opened_by = opened_by[:100]
    session.opened_at = now
    session.save(force_insert=True)
    return OpenedLogin(session, key)
