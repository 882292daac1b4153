"""Sessions of client apps: opened for a member or for nobody, kept alive by use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from loyalty.errors import LoyaltyError
from loyalty.models import ClientSession, IdentifierType, Identity, Member, Program
from loyalty.models.members import identity_rules
from loyalty.services.identities import holders_of

if TYPE_CHECKING:
    from datetime import datetime

ACCOUNT_ID_KIND = "account_id"
LOYALTY_ID_KIND = "loyalty_id"
# The kind of identity behind each way to name a member.
IDENTITY_KINDS = {
    IdentifierType.ACCOUNT_ID: ACCOUNT_ID_KIND,
    IdentifierType.LOYALTY_ID: LOYALTY_ID_KIND,
    IdentifierType.EXTERNAL_ID: "customer_id",
    IdentifierType.EMAIL: "email",
    IdentifierType.PARTNER_LINK_ID: "partner_link_id",
    IdentifierType.PHONE_NUMBER: "phone",
    IdentifierType.EXTERNAL_AGENT_ID: "external_agent_id",
}
# A call moves the end of its session only if that wins this much: one write per
# session and minute, whatever the traffic.
SLIDE_STEP = timedelta(minutes=1)
# Ended sessions are kept this long, so that their names are not soon another's.
KEPT_AFTER_END = timedelta(days=30)
_GUID = re.compile(
    r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?",
    re.ASCII | re.IGNORECASE,
)


class UnknownAccount(LoyaltyError):
    """Nobody has this identifier."""

    code = "unknown_account"


class BlockedAccount(LoyaltyError):
    """The member is blocked."""

    code = "blocked_account"


class SessionOfAnother(LoyaltyError):
    """The name is taken by a session of another member, or of nobody."""

    code = "session_of_another"


class UnknownSession(LoyaltyError):
    """No session has this name, or it has ended."""

    code = "unknown_session"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client app says when it opens a session.

    Without identifier and type it asks for an anonymous session.
    """

    correlation_id: str
    channel: str
    identifier: str | None = None
    identifier_type: IdentifierType | None = None


def canonical(name: str) -> str:
    """Return a GUID in lower case and without braces; any other name as it is.

    >>> canonical("{7247C5DC-3573-470B-9DF3-6D2D87E7116E}")
    '7247c5dc-3573-470b-9df3-6d2d87e7116e'
    """
    match = _GUID.fullmatch(name)
    return match[1].lower() if match else name


def open_session(program_id: int, opening: Opening, *, now: datetime) -> ClientSession:
    """Return a session that lasts from now on; the one that stands if it is theirs.

    A member of a session has an account id from then on.

    Raises:
        UnknownAccount: nobody has the identifier.
        BlockedAccount: the member is blocked.
        SessionOfAnother: the name belongs to a session of somebody else.
    """
    program = Program.objects.get(pk=program_id)
    member = None
    if opening.identifier is not None and opening.identifier_type is not None:
        member = _member(program_id, opening.identifier_type, opening.identifier)

    with transaction.atomic():
        session, is_new = ClientSession.objects.get_or_create(
            program=program,
            correlation_id=canonical(opening.correlation_id),
            defaults={
                "member": member,
                "identifier_type": opening.identifier_type or "",
                "channel": opening.channel,
                "opened_at": now,
                "expires_at": now + timedelta(hours=program.session_hours),
            },
        )
        if session.member_id != (member.pk if member else None):
            raise SessionOfAnother(
                f"The session “{session.correlation_id}” belongs to somebody else."
            )
        if member is not None:
            _ensure_account_id(program, member)
    if not is_new:
        _keep_alive(session, program, now)
    return session


def session_with(
    program_id: int, correlation_id: str, *, now: datetime
) -> ClientSession:
    """Return the session that has this name, with its program; move its end.

    Raises:
        UnknownSession: there is none, or it ended at or before ``now``.
    """
    session = (
        ClientSession.objects.select_related("program")
        .filter(
            program_id=program_id,
            correlation_id=canonical(correlation_id),
            expires_at__gt=now,
        )
        .first()
    )
    if session is None:
        raise UnknownSession(f"There is no session “{correlation_id[:128]}”.")
    _keep_alive(session, session.program, now)
    return session


def identity_of(member_id: int, kind: str) -> str | None:
    """Return the member's first identity of this kind; None if it has none."""
    return (
        Identity.objects.filter(member_id=member_id, kind=kind)
        .order_by("pk")
        .values_list("value", flat=True)
        .first()
    )


def has_identity(member_id: int | None, kind: str, value: str) -> bool:
    """Whether the member can be found by this identity."""
    if member_id is None:
        return False
    held = Identity.objects.filter(member_id=member_id, kind=kind)
    values = held.values_list("value", flat=True)
    program_id = held.values_list("program_id", flat=True).first()
    if program_id is None:
        return False
    rules = identity_rules(program_id)
    return rules.key_of(kind, value) in {rules.key_of(kind, one) for one in values}


def forget_ended_sessions(*, at: datetime) -> int:
    """Delete the sessions that ended long ago; return how many."""
    count, _ = ClientSession.objects.filter(expires_at__lt=at - KEPT_AFTER_END).delete()
    return count


def _member(program_id: int, kind: IdentifierType, identifier: str) -> Member:
    pairs = [(IDENTITY_KINDS[kind], one) for one in _spellings(kind, identifier)]
    holders = holders_of(program_id, pairs)
    found = next((holders[pair] for pair in pairs if pair in holders), None)
    member = None if found is None else Member.objects.get(pk=found)
    if member is None:
        raise UnknownAccount(f"Nobody has the {kind.label.lower()} “{identifier}”.")
    if member.is_blocked:
        raise BlockedAccount("This member is blocked.")
    return member


def _spellings(kind: IdentifierType, identifier: str) -> list[str]:
    """Return the ways in which the identity may have been written down."""
    if kind is IdentifierType.PHONE_NUMBER:
        digits = re.sub(r"\D", "", identifier, flags=re.ASCII)
        # Ten digits are a number of North America without its country.
        country = "1" if len(digits) == 10 else ""
        return [identifier, digits, f"+{country}{digits}"]
    return [identifier]


def _ensure_account_id(program: Program, member: Member) -> None:
    if identity_of(member.pk, ACCOUNT_ID_KIND) is None:
        # The same for whoever comes first, so that two who meet here agree.
        Identity.objects.get_or_create(
            program=program,
            member=member,
            kind=ACCOUNT_ID_KIND,
            value=str(uuid5(NAMESPACE_URL, f"loyalty:{program.code}:{member.pk}")),
        )


def _keep_alive(session: ClientSession, program: Program, now: datetime) -> None:
    ends = now + timedelta(hours=program.session_hours)
    if ends - session.expires_at >= SLIDE_STEP:
        session.expires_at = ends
        ClientSession.objects.filter(pk=session.pk, expires_at__lt=ends).update(
            expires_at=ends
        )
