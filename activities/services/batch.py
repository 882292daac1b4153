"""A batch on its way from commands to rows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from activities.services.commands import Recorded, Refused
from loyalty.engine.draw import SEED_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from activities.services.commands import Outcome, RecordActivity
    from loyalty.engine.decisions import Decision
    from loyalty.engine.facts import ActivityFacts, Budget, MemberHistory, Offer
    from loyalty.engine.programme import Programme, TypeRule
    from loyalty.engine.quests import Candidate
    from loyalty.errors import LoyaltyError
    from loyalty.ledger import Holding


def random_seed() -> int:
    """Return a number of 128 bits that nobody can foresee."""
    return secrets.randbits(SEED_BITS)


@dataclass(slots=True)
class Draft:
    """One command that may become an activity.

    An activity that stands already, and is decided now because its anonymous actor
    became known, has its ``activity_id`` from the start and no place (−1). ``rate`` is
    what its currency is worth in the program's, in 10**-10; None where it counts as
    it is.
    """

    place: int
    command: RecordActivity
    rule: TypeRule
    channel_id: int | None
    business_unit_id: int | None
    rate: int | None = None
    fingerprint: bytes = b""
    member_id: int | None = None
    anonymous_profile_id: int | None = None
    facts: ActivityFacts | None = None
    candidates: list[Offer] = field(default_factory=list)
    quests: list[Candidate] = field(default_factory=list)
    decision: Decision | None = None
    activity_id: int = 0

    @property
    def order(self) -> tuple[datetime, str]:
        """Return the sort key within a member: time, then key."""
        return (self.command.occurred_at, self.command.key)


class Merge(NamedTuple):
    """An anonymous profile that becomes a member's; ``place`` is whose command did."""

    member_id: int
    source: str
    place: int = -1


@dataclass(slots=True)
class Batch:
    """The commands, the facts gathered for them and what comes of each.

    ``histories`` are by member; None stands for anonymous actors. The apply step
    enrols ``new_members`` (number by identity), writes ``new_profiles`` (number by
    anonymous id), gives members ``new_identities`` (number of the member by
    identity) and carries out ``merges``, by number of the anonymous profile.
    ``kept_members`` are known although nothing new is recorded of them: a guest's
    event came again with who it was.
    ``identity_keys`` are by what identities are compared, as they are spelled.
    ``random_source`` returns numbers of 128 bits for draws. ``locks_usage`` says that
    the usage of budgets is locked before deciding, not only when it is added to.
    ``always`` are offers that the decision names even where the index of campaigns
    leaves them out.
    """

    programme: Programme
    commands: list[RecordActivity]
    now: datetime
    outcomes: list[Outcome | None] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    histories: dict[int | None, MemberHistory] = field(default_factory=dict)
    holdings: dict[tuple[int, int], Holding] = field(default_factory=dict)
    budgets: dict[int, Budget] = field(default_factory=dict)
    locks_usage: bool = True
    new_members: dict[tuple[str, str], int] = field(default_factory=dict)
    new_profiles: dict[str, int] = field(default_factory=dict)
    new_identities: dict[tuple[str, str], int] = field(default_factory=dict)
    kept_members: set[int] = field(default_factory=set)
    identity_keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    merges: dict[int, Merge] = field(default_factory=dict)
    echoes: list[tuple[int, Draft]] = field(default_factory=list)
    random_source: Callable[[], int] = random_seed
    always: tuple[Offer, ...] = ()
    seeds: dict[tuple[str, str], int] = field(default_factory=dict)

    def seed_of(self, command: RecordActivity) -> int:
        """Return the number that the draws of an activity are made with.

        It stays when the batch is tried again with the same ``seeds``: nobody draws
        twice because others were quicker.
        """
        name = (command.source, command.key)
        if name not in self.seeds:
            self.seeds[name] = self.random_source()
        return self.seeds[name]

    def refuse(self, place: int, error: LoyaltyError) -> None:
        """Refuse the command at ``place``."""
        self.outcomes[place] = Refused(error)

    def take_out(self, refused: Sequence[tuple[Draft, LoyaltyError]]) -> None:
        """Refuse drafts, and whatever repeats them in the same batch."""
        errors = {id(draft): error for draft, error in refused}
        for draft, error in refused:
            self.refuse(draft.place, error)
        for place, draft in self.echoes:
            if id(draft) in errors:
                self.refuse(place, errors[id(draft)])
        self.echoes = [one for one in self.echoes if id(one[1]) not in errors]
        self.drafts = [one for one in self.drafts if id(one) not in errors]

    def replay(
        self,
        place: int,
        activity_id: int,
        member_id: int | None,
        reversed_at: datetime | None = None,
    ) -> None:
        """Answer the command at ``place`` with the activity that stands already."""
        self.outcomes[place] = Recorded(
            activity_id, member_id, is_replay=True, reversed_at=reversed_at
        )

    def owner_of(self, profile_id: int) -> int | None:
        """Return the member that the batch merges an anonymous profile into."""
        merge = self.merges.get(profile_id)
        return None if merge is None else merge.member_id

    def final_outcomes(self) -> list[Outcome]:
        """Return one outcome for each command, in the order of the commands."""
        for place, draft in self.echoes:
            self.replay(place, draft.activity_id, draft.member_id)
        return [outcome for outcome in self.outcomes if outcome is not None]
