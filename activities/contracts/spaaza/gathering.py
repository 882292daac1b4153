"""The rows that a call is about, found in the order of the vendor's checks.

Steps 3 to 8; what follows is decided with the rows locked, by the use case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from activities.contracts.spaaza.asking import IDENTITY_KINDS, USER_ID, Asked, Named
from activities.contracts.spaaza.codes import refusal
from activities.contracts.spaaza.credentials import Credentials, Mode
from campaigns.models import Campaign
from loyalty.models import Program
from loyalty.services import UnknownIdentity, member_numbered, member_with_any
from loyalty.services.staff import programs_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.request import Request

    from loyalty.api.authentication import Caller
    from loyalty.models import Member

#: What staff need to interact for members.
PERMISSION = "activities.interact"


class Target(NamedTuple):
    """Whom and what an interaction is about; ``key`` is blank if none was sent."""

    program_id: int
    campaign_id: int
    member_id: int
    key: str


def target_of(request: Request, who: Credentials, caller: Caller) -> Target:
    """Return what a call is about; nothing is written.

    Raises:
        Problem: the first check that fails.
    """
    asked = Asked(request)
    campaign_id = asked.campaign_id()
    chain_id = _chain_of(asked, who)
    _check_access(who, caller, chain_id)
    named = _member_named(asked, who)
    key = asked.idempotency_key()
    campaign = _campaign_with(campaign_id)
    program_id = who.program_id or chain_id
    if program_id is None:
        raise AssertionError("Who belongs to no program names one.")
    _check_together(campaign, {program_id, chain_id, who.app_program_id}, caller)
    member_id = _member_of(program_id, named, who)
    return Target(program_id, campaign.pk, member_id, key)


def _chain_of(asked: Asked, who: Credentials) -> int | None:
    chain_id = asked.chain_id()
    if chain_id is None:
        if who.mode is Mode.ADMIN:
            raise refusal("chain_id_not_found")
        return None
    if not Program.objects.filter(pk=chain_id).exists():
        raise refusal("chain_id_not_found")
    return chain_id


def _check_access(who: Credentials, caller: Caller, chain_id: int | None) -> None:
    may_interact = {
        Mode.USER: True,
        Mode.ADMIN: _may_administer(who.staff, chain_id),
        Mode.PRIVILEGED: caller.can_interact,
    }
    if not may_interact[who.mode]:
        raise refusal("permission_denied_or_non_existent")


def _may_administer(staff: User | None, chain_id: int | None) -> bool:
    if staff is None or chain_id is None or not staff.has_perm(PERMISSION):
        return False
    return programs_of(staff).filter(pk=chain_id).exists()


def _member_named(asked: Asked, who: Credentials) -> Named | None:
    named = asked.member()
    if named is None and who.mode is not Mode.USER:
        raise refusal("no_valid_user")
    return named


def _campaign_with(campaign_id: int | None) -> Campaign:
    rows = Campaign.objects.only("pk", "program_id", "business_unit_id")
    campaign = None if campaign_id is None else rows.filter(pk=campaign_id).first()
    if campaign is None:
        raise refusal("campaign_id_not_found")
    return campaign


def _check_together(
    campaign: Campaign, program_ids: set[int | None], caller: Caller
) -> None:
    if program_ids - {None} != {campaign.program_id}:
        raise refusal("entity_mismatch")
    unit_id = campaign.business_unit_id
    if caller.unit_ids and unit_id is not None and unit_id not in caller.unit_ids:
        raise refusal("entity_mismatch")


def _member_of(program_id: int, named: Named | None, who: Credentials) -> int:
    if who.member_id is None:
        if named is None:
            raise AssertionError("Who is no member names one.")
        try:
            return _found(program_id, named).pk
        except UnknownIdentity:
            raise refusal("user_not_found") from None
    if named is not None and not _is_called(who.member_id, program_id, named):
        raise refusal("access_denied", "A user interacts for nobody else.")
    return who.member_id


def _is_called(member_id: int, program_id: int, named: Named) -> bool:
    try:
        return _found(program_id, named).pk == member_id
    except UnknownIdentity:
        return False


def _found(program_id: int, named: Named) -> Member:
    if named.name == USER_ID:
        return member_numbered(program_id, int(named.value))
    kinds = IDENTITY_KINDS[named.name]
    return member_with_any(program_id, [(kind, named.value) for kind in kinds])
