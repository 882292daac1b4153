"""Finding who acted: members by their identities, and people not yet known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from activities.services.batch import Merge
from activities.services.commands import BlockedMember, UnknownMember
from loyalty.ledger.holdings import reserve_ids
from loyalty.services.identities import members_found

if TYPE_CHECKING:
    from activities.services.batch import Batch, Draft
    from activities.services.commands import RecordActivity

# A member's number, and whether the member is blocked.
Found = tuple[int, bool]
Pair = tuple[str, str]

_PROFILES = """
SELECT anonymous_id, id, merged_into_id FROM loyalty_anonymousprofile
WHERE program_id = %s AND anonymous_id = ANY(%s)
"""
_LOCKED_PROFILES = f"{_PROFILES} ORDER BY id FOR NO KEY UPDATE"


@dataclass(slots=True)
class Profile:
    """An anonymous profile; ``owner`` is the member that it was merged into."""

    id: int
    owner: Found | None = None


def find_actors(batch: Batch, *, may_enrol: bool, lock: bool) -> None:
    """Give every draft its member or anonymous profile, or refuse it.

    Three queries at most. Commands count in the order of the batch, as if each
    had come alone: from the first one on that names both a member and an anonymous
    id, the anonymous id stands for that member.

    Args:
        batch: its drafts are cut to those that are not refused.
        may_enrol: identities that nobody has are enrolled by the apply step.
        lock: lock the anonymous profiles, by number, before any member is. What
            is recorded for a profile and its merge then wait for each other.
    """
    profiles = _profiles(batch, lock=lock)
    people = _People(batch, profiles)
    people.recognise()
    if may_enrol:
        people.number_new_members()
    kept = []
    for draft in batch.drafts:
        profile = profiles.get(draft.command.anonymous_id or "")
        found = people.member_of(draft.command, profile)
        if found is None and not _is_anonymous(draft.command):
            _refuse_unknown(batch, draft)
            continue
        if found is not None:
            draft.member_id, is_blocked = found
            if is_blocked:
                error = BlockedMember("This member is blocked.", field="member")
                batch.refuse(draft.place, error)
                continue
        if profile is not None:
            _meet(batch, draft, profile, found)
        kept.append(draft)
    batch.drafts = kept


def _is_anonymous(command: RecordActivity) -> bool:
    return command.anonymous_id is not None and command.member is None


def _meet(batch: Batch, draft: Draft, profile: Profile, found: Found | None) -> None:
    draft.anonymous_profile_id = profile.id
    # Whose the profile was first, it stays: others only get what they do now.
    if found is not None and profile.owner is None:
        profile.owner = found
        batch.merges[profile.id] = Merge(found[0], draft.command.source, draft.place)


def _refuse_unknown(batch: Batch, draft: Draft) -> None:
    command = draft.command
    if command.member is not None:
        kind, value = command.member
        sentence = f"Nobody has the {kind} “{value}”."
    else:
        sentence = f"There is no member {command.member_id}."
    batch.refuse(draft.place, UnknownMember(sentence, field="member"))


class _People:
    """The members that the commands of a batch name."""

    def __init__(self, batch: Batch, profiles: dict[str, Profile]) -> None:
        """Look all of them up."""
        self._batch = batch
        commands = [draft.command for draft in batch.drafts]
        pairs = {one.member for one in commands if one.member is not None}
        for command in commands:
            pairs.update(command.also_known_as)
        rules = batch.programme.identity_rules
        self.by_pair = members_found(batch.programme.program_id, rules, pairs)
        self._key_of = batch.identity_keys
        for kind, value in pairs:
            self._key_of[kind, value] = (kind, rules.key_of(kind, value))
        numbers = {one.member_id for one in commands if one.member_id is not None}
        owners = [one.owner[0] for one in profiles.values() if one.owner is not None]
        found = _by_number(batch.programme.program_id, {*numbers, *owners})
        self.by_number = {number: found[number] for number in numbers & found.keys()}
        for profile in profiles.values():
            if profile.owner is not None:
                profile.owner = found[profile.owner[0]]

    def recognise(self) -> None:
        """Give identities that nobody has to whom the others of a command find."""
        by_pair = self.by_pair
        # Identities that earlier commands of the batch enrol or give away, by key.
        taken: dict[Pair, Found | None] = {}
        for draft in self._batch.drafts:
            pair = draft.command.member
            if pair is None or pair in by_pair:
                continue
            key = self._key_of[pair]
            found = taken.get(key)
            if key not in taken:
                found = taken[key] = self._also(draft.command)
                if found is not None:
                    self._batch.new_identities[pair] = found[0]
            if found is not None:
                by_pair[pair] = found

    def number_new_members(self) -> None:
        """Reserve numbers for the identities that nobody has, one for all spellings."""
        first: dict[Pair, Pair] = {}
        spelled: dict[Pair, Pair] = {}
        for draft in self._batch.drafts:
            pair = draft.command.member
            if pair is not None and pair not in self.by_pair:
                first.setdefault(self._key_of[pair], pair)
                spelled[pair] = self._key_of[pair]
        if first:
            keys = sorted(first)
            ids = reserve_ids("loyalty_member", len(keys))
            fresh = dict(zip(keys, ids, strict=True))
            self._batch.new_members = {first[key]: one for key, one in fresh.items()}
            self.by_pair.update(
                (pair, (fresh[key], False)) for pair, key in spelled.items()
            )

    def member_of(
        self, command: RecordActivity, profile: Profile | None
    ) -> Found | None:
        """Return whom a command is of; None if that is not known."""
        if command.member is not None:
            return self.by_pair.get(command.member)
        if command.member_id is not None:
            return self.by_number.get(command.member_id)
        if profile is not None and profile.owner is not None:
            return profile.owner
        return self._also(command)

    def _also(self, command: RecordActivity) -> Found | None:
        found = (self.by_pair.get(pair) for pair in command.also_known_as)
        return next((one for one in found if one is not None), None)


def _by_number(program_id: int, numbers: set[int]) -> dict[int, Found]:
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, is_blocked FROM loyalty_member"
            " WHERE program_id = %s AND id = ANY(%s)",
            [program_id, list(numbers)],
        )
        return {row[0]: (row[0], row[1]) for row in cursor.fetchall()}


def _profiles(batch: Batch, *, lock: bool) -> dict[str, Profile]:
    """Return the profiles that the batch names; numbers are reserved for new ones."""
    wanted = {draft.command.anonymous_id for draft in batch.drafts} - {None}
    if not wanted:
        return {}
    names = sorted(one for one in wanted if one is not None)
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCKED_PROFILES if lock else _PROFILES,
            [batch.programme.program_id, names],
        )
        profiles = {
            name: Profile(one, None if owner is None else (owner, False))
            for name, one, owner in cursor.fetchall()
        }
    missing = [name for name in names if name not in profiles]
    if missing:
        ids = reserve_ids("loyalty_anonymousprofile", len(missing))
        batch.new_profiles = dict(zip(missing, ids, strict=True))
        profiles |= {name: Profile(one) for name, one in batch.new_profiles.items()}
    return profiles
