"""Finding a member or enrolling it, and changing what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from loyalty.models import Identity, Member
from loyalty.models.members import identity_rules
from loyalty.services.identities import distinct, members_found
from loyalty.services.members import (
    Enrolled,
    Enrolment,
    IdentityTaken,
    UnknownIdentity,
    enrol_member,
    give,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from loyalty.services.identities import IdentityPair


def find_or_enrol(program_id: int, enrolment: Enrolment) -> Enrolled:
    """Return the member that has any of the identities, enrolled if there is none.

    A member that is found is given the identities that nobody has, of kinds that it
    has none of; nothing else about it is changed. Many callers at once get the same
    member.

    Raises:
        IdentityTaken: the identities belong to several members.
    """
    try:
        with transaction.atomic():
            return _found_or_enrolled(program_id, enrolment)
    except IntegrityError:
        # Somebody else enrolled the same person just now.
        with transaction.atomic():
            return _found_or_enrolled(program_id, enrolment)


def _found_or_enrolled(program_id: int, enrolment: Enrolment) -> Enrolled:
    rules = identity_rules(program_id)
    found = members_found(program_id, rules, enrolment.identities)
    holders = {pair: member_id for pair, (member_id, _) in found.items()}
    owners = set(holders.values())
    if not owners:
        return enrol_member(program_id, enrolment)
    if len(owners) > 1:
        raise IdentityTaken("The identities belong to several members.")
    member = Member.objects.get(pk=owners.pop())
    kinds = set(member.identities.values_list("kind", flat=True))
    fresh = [
        pair
        for pair in distinct(rules, enrolment.identities)
        if pair not in holders and pair[0] not in kinds
    ]
    give(member, fresh, rules)
    return Enrolled(member, is_new=False)


def change_member(
    program_id: int,
    member_id: int,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    now: datetime,
    identities: Sequence[IdentityPair] = (),
) -> Member:
    """Change how a member is found and what is known of it; return it as it is then.

    ``change`` is given the attributes and returns those that the member has from
    now on. An identity takes the place of the member's first of its kind.

    Locks the member's row.

    Raises:
        UnknownIdentity: the program has no such member.
        IdentityTaken: another member has one of the identities.
    """
    try:
        with transaction.atomic():
            rows = Member.objects.select_for_update(no_key=True)
            member = rows.filter(program=program_id, pk=member_id).first()
            if member is None:
                raise UnknownIdentity(f"There is no member {member_id}.")
            for kind, value in identities:
                _replace(member, kind, value)
            member.attributes = change(member.attributes)
            member.updated_at = now
            member.save(update_fields=["attributes", "updated_at"])
    except IntegrityError:
        raise IdentityTaken("Another member has this identity.") from None
    return member


def _replace(member: Member, kind: str, value: str) -> None:
    rules = identity_rules(member.program_id)
    key = rules.key_of(kind, value)
    held = Identity.objects.filter(member=member, kind=kind).order_by("pk")
    if held.filter(Q(key=key) | Q(value=value)).exists():
        return
    first = held.first()
    if first is None:
        give(member, [(kind, value)], rules)
        return
    # What the member is called from now on is nobody's but its own.
    first.value, first.is_duplicate = value, False
    first.set_key(rules)
    first.save(update_fields=["value", "key", "is_duplicate"])
