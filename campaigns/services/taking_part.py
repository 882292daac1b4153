"""Opting in to a quest, and how far a member is in the quests that it takes part in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from campaigns.models import QuestOptIn
from campaigns.services.budgets import budgets_of, open_missing
from campaigns.services.programme import current_programme, programme_for_update
from campaigns.services.quests import histories_of
from loyalty import ledger
from loyalty.engine.conditions import first_failure
from loyalty.engine.explanation import sentence
from loyalty.engine.facts import NEVER, ActivityFacts, OptIn
from loyalty.engine.quests import (
    automatic_opt_in,
    completions_of,
    ends_at_of,
    opt_in_at,
    prizes_of,
    runs_of,
)
from loyalty.errors import LoyaltyError
from loyalty.models import Member, SegmentMembership

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from loyalty.engine.facts import QuestHistory
    from loyalty.engine.programme import Programme
    from loyalty.engine.quests import Progress, Quest, Run

_TICK = timedelta(microseconds=1)


class UnknownQuest(LoyaltyError):
    """No published quest has this number."""

    code = "unknown_quest"


class UnknownParticipant(LoyaltyError):
    """No member of the program has this number."""

    code = "unknown_member"


class BlockedParticipant(LoyaltyError):
    """The member is blocked."""

    code = "blocked_member"


class QuestNotOpen(LoyaltyError):
    """The quest is not open to the member now; ``facts["reason"]`` says why."""

    code = "quest_not_open"


class QuestCompleted(LoyaltyError):
    """The member has completed the quest as often as it may be."""

    code = "quest_completed"


class UnknownOptIn(LoyaltyError):
    """No opt-in of the program has this number."""

    code = "unknown_opt_in"


class QuestPrizesGone(LoyaltyError):
    """All prizes of the quest have been given."""

    code = "quest_prizes_gone"


@dataclass(frozen=True, slots=True)
class Participation:
    """One opt-in of a member and how far it has come.

    ``run`` is the one under way, or the last. ``ends_at`` is when the opt-in or the
    quest ends, whichever is first; None if neither does. ``prize_at`` is the moment
    of the activity that brought the prize of the run, None as long as it has none.
    """

    id: int
    quest: Quest
    opted_in_at: datetime
    ends_at: datetime | None
    run: Run
    prize_at: datetime | None

    @property
    def is_completed(self) -> bool:
        """Whether all requirements of the run are met."""
        return self.run.completed_at is not None

    @property
    def progress(self) -> tuple[Progress, ...]:
        """How far each requirement is."""
        return self.run.progress

    @property
    def updated_at(self) -> datetime:
        """When something last counted, or the opt-in itself."""
        moments = [one.updated_at for one in self.progress if one.updated_at]
        return max([self.opted_in_at, *moments])

    def is_open_at(self, moment: datetime) -> bool:
        """Whether something that happens at ``moment`` can still bring a prize."""
        has_time = self.ends_at is None or moment < self.ends_at
        return has_time and self.quest.offer.is_enabled and not self.is_completed


def opt_in(
    program_id: int,
    member_id: int,
    quest_id: int,
    *,
    now: datetime,
    unit_ids: Collection[int] = (),
) -> Participation:
    """Let a member take part in a quest from now on.

    Who takes part already goes on with that; after completing it, or when the time
    to complete it is over, a further call starts anew.

    Locks the configuration (shared), then the member, then the quest's usage if it
    is counted for the first time.

    ``unit_ids`` are the business units that the caller is bound to, if to any: quests
    of other units do not exist then.

    Raises:
        UnknownQuest: it does not exist, is a draft or was archived.
        UnknownParticipant: the program has no such member.
        BlockedParticipant: the member is blocked.
        QuestNotOpen: its dates, tier or segments do not admit the member now.
        QuestCompleted: as often as it may be.
        QuestPrizesGone: there is nothing left to win.
    """
    with transaction.atomic():
        programme = programme_for_update(program_id)
        quest = _published(programme, quest_id, unit_ids)
        ledger.lock_members([member_id])
        member = _member(program_id, member_id)
        found = histories_of([member_id], [quest_id])
        history = found.by_pair[member_id, quest_id]
        current = _going_on(quest, history, now)
        if current is None:
            _refuse_closed(quest, programme, member, now)
            _refuse_spent(quest, history)
            current = _start(quest, history, member, now)
            history.opt_ins.append(current)
    return _participation(quest, history, current)


def participations_of(program_id: int, member_id: int) -> list[Participation]:
    """Return a member's opt-ins, oldest first; five queries."""
    programme = current_programme(program_id)
    quests = {quest.id: quest for quest in programme.quests}
    histories = histories_of([member_id], quests).by_pair
    found = [
        _participation(quests[quest_id], history, one)
        for (_, quest_id), history in histories.items()
        for one in history.opt_ins
    ]
    return sorted(found, key=lambda one: one.id)


def participation_numbered(program_id: int, opt_in_id: int) -> Participation:
    """Return one opt-in.

    Raises:
        UnknownOptIn: the program has no such opt-in.
    """
    row = QuestOptIn.objects.filter(pk=opt_in_id, quest__program=program_id).first()
    if row is None:
        raise UnknownOptIn(f"There is no opt-in {opt_in_id}.")
    found = participations_of(program_id, row.member_id)
    return next(one for one in found if one.id == opt_in_id)


def _published(programme: Programme, quest_id: int, unit_ids: Collection[int]) -> Quest:
    for quest in programme.quests:
        unit_id = quest.offer.business_unit_id
        is_visible = not unit_ids or unit_id is None or unit_id in unit_ids
        if quest.id == quest_id and quest.offer.is_enabled and is_visible:
            return quest
    raise UnknownQuest(f"There is no quest {quest_id}.", field="quest")


def _member(program_id: int, member_id: int) -> Member:
    member = Member.objects.filter(program=program_id, pk=member_id).first()
    if member is None:
        raise UnknownParticipant(f"There is no member {member_id}.", field="member")
    if member.is_blocked:
        raise BlockedParticipant("This member is blocked.", field="member")
    return member


def _going_on(quest: Quest, history: QuestHistory, now: datetime) -> OptIn | None:
    """Return the opt-in that a call goes on with, if there is one."""
    if quest.is_automatic and history.opt_ins:
        return history.opt_ins[-1]
    current = _ahead(history, now) or opt_in_at(history.opt_ins, now)
    if current is None or runs_of(quest, history, current)[-1].completed_at:
        return None
    return current


def _ahead(history: QuestHistory, now: datetime) -> OptIn | None:
    """Return an opt-in that starts in a moment, see ``_start``."""
    latest = history.opt_ins[-1] if history.opt_ins else None
    return latest if latest is not None and latest.counts_from > now else None


def _refuse_closed(
    quest: Quest, programme: Programme, member: Member, now: datetime
) -> None:
    stays = SegmentMembership.objects.filter(
        member=member, segment__in=quest.offer.segments | quest.offer.excluded_segments
    )
    segment_ids = frozenset(
        one.segment_id
        for one in stays
        if (one.entered_at is None or one.entered_at <= now)
        and (one.left_at is None or now < one.left_at)
    )
    type_id = min(quest.offer.activity_type_ids, default=0)
    failure = first_failure(
        quest.offer,
        ActivityFacts(now, type_id),
        segment_ids,
        member.tier_id,
        programme.rules,
    )
    if failure is not None:
        reason = failure.reason.value
        words = sentence(reason, failure.operands or {})
        raise QuestNotOpen(words, field="quest", reason=reason)


def _refuse_spent(quest: Quest, history: QuestHistory) -> None:
    most = quest.completions_per_member
    if most is not None and completions_of(quest, history) >= most:
        raise QuestCompleted("The member has completed this quest.", field="quest")
    if quest.offer.awards_budget is not None:
        open_missing([quest.id])
        left = budgets_of({quest.id: quest.offer}, lock=False)[quest.id].awards_left
        if left is not None and left <= 0:
            raise QuestPrizesGone("All prizes of this quest are given.", field="quest")


def _start(quest: Quest, history: QuestHistory, member: Member, now: datetime) -> OptIn:
    if quest.is_automatic:
        value = automatic_opt_in(quest, member.enrolled_at)
    else:
        since = max([now, *(at + _TICK for at in _completed(quest, history))])
        value = OptIn(None, since, ends_at_of(quest, since))
    row = QuestOptIn.objects.create(
        quest_id=quest.id,
        member=member,
        opted_in_at=value.starts_at,
        expires_at=None if value.ends_at == NEVER else value.ends_at,
        is_automatic=value.is_automatic,
        created_at=now,
    )
    return value._replace(id=row.pk)


def _completed(quest: Quest, history: QuestHistory) -> list[datetime]:
    """Return when runs were completed: activities may lie a little ahead of now."""
    return [
        run.completed_at
        for one in history.opt_ins
        for run in runs_of(quest, history, one)
        if run.completed_at is not None
    ]


def _participation(quest: Quest, history: QuestHistory, one: OptIn) -> Participation:
    if one.id is None:
        raise AssertionError("What was loaded has a number.")
    runs = runs_of(quest, history, one)
    prizes = prizes_of(history, one)
    done = sum(run.completed_at is not None for run in runs)
    has_prize = runs[-1].completed_at is not None and len(prizes) >= done
    ends_at = min(one.ends_at, quest.offer.ends_at)
    return Participation(
        id=one.id,
        quest=quest,
        opted_in_at=one.starts_at,
        ends_at=None if ends_at == NEVER else ends_at,
        run=runs[-1],
        prize_at=max(prizes) if has_prize else None,
    )
