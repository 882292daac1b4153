"""Enrolling members and telling who is who."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from loyalty.errors import LoyaltyError
from loyalty.models import Identity, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

# Kind and value.
IdentityPair = tuple[str, str]


class IdentityTaken(LoyaltyError):
    """Another member has the identity; ``facts["member"]`` is its number."""

    code = "identity_taken"


class UnknownIdentity(LoyaltyError):
    """Nobody has the identity."""

    code = "unknown_identity"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The member; ``is_new`` says whether this call enrolled it."""

    member: Member
    is_new: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Who joins: at least one identity, and what else is known."""

    identities: Sequence[IdentityPair]
    fields: dict[str, Any] = field(default_factory=dict)


def enrol_member(program_id: int, enrolment: Enrolment) -> Enrolled:
    """Enrol a member, or return the one that has exactly these identities already.

    Raises:
        IdentityTaken: some of the identities belong to one member and some to
            another or to nobody; ``field`` names the first that is taken.
    """
    wanted = list(dict.fromkeys(enrolment.identities))
    with transaction.atomic():
        holders = _holders(program_id, wanted)
        found = set(holders.values())
        if len(found) == 1 and len(holders) == len(wanted):
            return Enrolled(Member.objects.get(pk=found.pop()), is_new=False)
        _refuse_taken(wanted, holders)

        member = Member.objects.create(program_id=program_id, **enrolment.fields)
        _give(member, wanted)
    return Enrolled(member, is_new=True)


def add_identities(member: Member, identities: Sequence[IdentityPair]) -> int:
    """Let a member be found by more identities; return how many were new.

    Raises:
        IdentityTaken: another member has one of them.
    """
    wanted = list(dict.fromkeys(identities))
    with transaction.atomic():
        holders = _holders(member.program_id, wanted)
        others = {pair: one for pair, one in holders.items() if one != member.pk}
        _refuse_taken(wanted, others)

        fresh = [pair for pair in wanted if pair not in holders]
        _give(member, fresh)
    return len(fresh)


def member_with(program_id: int, kind: str, value: str) -> Member:
    """Return the member that has this identity.

    Raises:
        UnknownIdentity: nobody has it.
    """
    member = Member.objects.filter(
        identities__program_id=program_id,
        identities__kind=kind,
        identities__value=value,
    ).first()
    if member is None:
        raise UnknownIdentity(f"Nobody has the {kind} “{value}”.")
    return member


def member_with_any(program_id: int, identities: Sequence[IdentityPair]) -> Member:
    """Return the member that has one of the identities; the first that is had counts.

    Raises:
        UnknownIdentity: nobody has any of them.
    """
    holders = _holders(program_id, identities)
    found = next((holders[pair] for pair in identities if pair in holders), None)
    if found is None:
        kind, value = identities[0]
        raise UnknownIdentity(f"Nobody has the {kind} “{value}”.")
    return Member.objects.get(pk=found)


def member_numbered(program_id: int, number: int) -> Member:
    """Return the member that has this number.

    Raises:
        UnknownIdentity: the program has no such member.
    """
    member = Member.objects.filter(program_id=program_id, pk=number).first()
    if member is None:
        raise UnknownIdentity(f"There is no member {number}.")
    return member


def _holders(
    program_id: int, wanted: Sequence[IdentityPair]
) -> dict[IdentityPair, int]:
    any_of = Q()
    for kind, value in wanted:
        any_of |= Q(kind=kind, value=value)
    rows = Identity.objects.filter(any_of, program_id=program_id)
    return {(row.kind, row.value): row.member_id for row in rows}


def _refuse_taken(
    wanted: Sequence[IdentityPair], holders: dict[IdentityPair, int]
) -> None:
    for place, pair in enumerate(wanted):
        if pair in holders:
            kind, value = pair
            raise IdentityTaken(
                f"Another member has the {kind} “{value}”.",
                field=f"identities.{place}",
                member=holders[pair],
            )


def _give(member: Member, identities: Sequence[IdentityPair]) -> None:
    Identity.objects.bulk_create(
        Identity(program_id=member.program_id, member=member, kind=kind, value=value)
        for kind, value in identities
    )
