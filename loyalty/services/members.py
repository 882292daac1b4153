"""Enrolling members and telling who is who."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from loyalty.errors import LoyaltyError
from loyalty.models import Identity, Member
from loyalty.models.members import identity_rules
from loyalty.services.identities import (
    IdentityPair,
    distinct,
    holders_of,
    members_found,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loyalty.engine.identities import IdentityRules


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

    Spelling does not matter; identities are stored as they are given first. Of many
    who enrol the same person at once, one enrols and the others get that member.

    Raises:
        IdentityTaken: some of the identities belong to one member and some to
            another or to nobody; ``field`` names the first that is taken.
    """
    try:
        with transaction.atomic():
            return _enrolled(program_id, enrolment)
    except IntegrityError:
        # Somebody else enrolled the same person just now.
        with transaction.atomic():
            return _enrolled(program_id, enrolment)


def _enrolled(program_id: int, enrolment: Enrolment) -> Enrolled:
    rules = identity_rules(program_id)
    wanted = distinct(rules, enrolment.identities)
    holders = _holders(program_id, rules, wanted)
    found = set(holders.values())
    if len(found) == 1 and len(holders) == len(wanted):
        return Enrolled(Member.objects.get(pk=found.pop()), is_new=False)
    _refuse_taken(enrolment.identities, holders)

    member = Member.objects.create(program_id=program_id, **enrolment.fields)
    give(member, wanted, rules)
    return Enrolled(member, is_new=True)


def add_identities(member: Member, identities: Sequence[IdentityPair]) -> int:
    """Let a member be found by more identities; return how many were new.

    Raises:
        IdentityTaken: another member has one of them.
    """
    try:
        with transaction.atomic():
            return _added(member, identities)
    except IntegrityError:
        # Somebody else gave one of them away just now.
        with transaction.atomic():
            return _added(member, identities)


def _added(member: Member, identities: Sequence[IdentityPair]) -> int:
    rules = identity_rules(member.program_id)
    wanted = distinct(rules, identities)
    holders = _holders(member.program_id, rules, wanted)
    others = {pair: one for pair, one in holders.items() if one != member.pk}
    _refuse_taken(identities, others)

    fresh = [pair for pair in wanted if pair not in holders]
    give(member, fresh, rules)
    return len(fresh)


def member_with(program_id: int, kind: str, value: str) -> Member:
    """Return the member that has this identity, however it is spelled.

    Raises:
        UnknownIdentity: nobody has it.
    """
    return member_with_any(program_id, [(kind, value)])


def member_with_any(program_id: int, identities: Sequence[IdentityPair]) -> Member:
    """Return the member that has one of the identities; the first that is had counts.

    Raises:
        UnknownIdentity: nobody has any of them.
    """
    holders = holders_of(program_id, identities)
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
    program_id: int, rules: IdentityRules, wanted: Sequence[IdentityPair]
) -> dict[IdentityPair, int]:
    found = members_found(program_id, rules, wanted)
    return {pair: member_id for pair, (member_id, _) in found.items()}


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


def give(
    member: Member, identities: Sequence[IdentityPair], rules: IdentityRules
) -> None:
    """Let a member be found by identities that nobody has."""
    rows = [
        Identity(program_id=member.program_id, member=member, kind=kind, value=value)
        for kind, value in identities
    ]
    for row in rows:
        row.set_key(rules)
    Identity.objects.bulk_create(rows)
