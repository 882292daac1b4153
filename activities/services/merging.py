"""The merge of an anonymous profile by itself, without an activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from activities.models import ProfileMerge
from activities.services.batch import Batch, Merge
from activities.services.commands import BlockedMember, ProgramDisabled, UnknownMember
from activities.services.recording import decide_and_apply
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.errors import LoyaltyError
from loyalty.models import AnonymousProfile, Member

if TYPE_CHECKING:
    from datetime import datetime


class UnknownProfile(LoyaltyError):
    """The program knows no such anonymous id."""

    code = "unknown_profile"


def merge_profile(
    program_id: int, anonymous_id: str, member_id: int, *, now: datetime, source: str
) -> ProfileMerge:
    """Give an anonymous profile and what it did to a member, once; return the log.

    A profile that is somebody's already stays so: the log of that merge is
    returned, whoever it was merged into, and nothing is posted again.

    Locks the configuration (shared), the profile, the member, then campaign usage.

    Raises:
        ProgramDisabled: the program takes no calls.
        UnknownProfile: nobody was ever seen under this anonymous id.
        UnknownMember: the program has no such member.
        BlockedMember: the member is blocked.
    """
    with transaction.atomic():
        programme = programme_for_update(program_id)
        if not programme.is_enabled:
            raise ProgramDisabled("This program is disabled.")
        profile = _locked_profile(program_id, anonymous_id)
        if profile.merged_into_id is None:
            _check_member(program_id, member_id)
            ledger.lock_members([member_id])
            batch = Batch(programme, [], now)
            batch.merges[profile.pk] = Merge(member_id, source)
            decide_and_apply(batch)
        return ProfileMerge.objects.get(profile=profile)


def _locked_profile(program_id: int, anonymous_id: str) -> AnonymousProfile:
    rows = AnonymousProfile.objects.select_for_update(no_key=True, of=("self",))
    profile = rows.filter(program_id=program_id, anonymous_id=anonymous_id).first()
    if profile is None:
        raise UnknownProfile(f"There is no anonymous id “{anonymous_id}”.")
    return profile


def _check_member(program_id: int, member_id: int) -> None:
    member = Member.objects.filter(program_id=program_id, pk=member_id).first()
    if member is None:
        raise UnknownMember(f"There is no member {member_id}.", field="member")
    if member.is_blocked:
        raise BlockedMember("This member is blocked.", field="member")
