"""Deciding stored activities anew, in memory, with the engine that records them.

Each member's state is carried from one activity to the next as a recording would
carry it: caps, attempts, tiers, quests, budgets. What was reversed is decided and,
at the moment of its reversal, taken back; so it counts for nothing and still stands
in the way of what came in between, as it did in the ledger.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from activities.services.backtesting.histories import Given, HistoryLoader
from activities.services.backtesting.reading import (
    Reader,
    Stored,
    moment_of,
    products_of,
)
from loyalty.engine.evaluation import absorb, consume, evaluate
from loyalty.engine.facts import Completion, MemberHistory
from loyalty.engine.quests import prizes_to_take_back
from loyalty.engine.tiers import tier_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activities.services.backtesting.tallying import Tally
    from activities.services.backtesting.trial import Span
    from loyalty.engine.decisions import Award, Decision
    from loyalty.engine.facts import Budget
    from loyalty.engine.programme import Programme

# History of whom nobody knew.
_NOBODY = MemberHistory(is_known=False)


class _Reversal(NamedTuple):
    """An activity that is to be taken back at a moment."""

    at: datetime
    member_id: int
    activity_id: int


class _Decided(NamedTuple):
    """A decision that may have to be taken back."""

    occurred_at: datetime
    decision: Decision


class Replay:
    """One range of members on its way through a period."""

    def __init__(
        self,
        programme: Programme,
        span: Span,
        tally: Tally,
        budgets: dict[int, Budget],
    ) -> None:
        """Decide under ``programme``; budgets are consumed in the order of rows."""
        self._programme = programme
        self._tally = tally
        self._budgets = budgets
        self._rules = {rule.offer.id: rule.offer for rule in programme.types.values()}
        self._quests = {quest.id: quest for quest in programme.quests}
        self._reader = Reader(programme)
        self._loader = HistoryLoader(programme, span)
        self._histories: dict[int, MemberHistory] = {}
        # What befalls members between activities, earliest first.
        self._ahead: list[tuple[datetime, int, Given | _Reversal]] = []
        self._place = count()
        # By activity: those that will be reversed, and all that brought prizes.
        self._decided: dict[int, _Decided] = {}

    @property
    def member_count(self) -> int:
        """Return how many members did something in the period."""
        return len(self._histories)

    def take(self, rows: Sequence[Stored]) -> None:
        """Decide the next activities, in the order in which they are given."""
        fresh = {row.member_id for row in rows} - self._histories.keys()
        if fresh:
            start = self._loader.load(fresh)
            self._histories.update(start.histories)
            for given in start.given:
                self._expect(given)
        ahead = self._ahead
        for row, lines in zip(rows, self._reader.lines_of(rows), strict=True):
            while ahead and ahead[0][0] < moment_of(row.decided_text):
                self._meet_next()
            self._decide(row, lines)

    def finish(self) -> None:
        """Take back what was reversed after the last activity."""
        while self._ahead:
            self._meet_next()

    def _decide(self, row: Stored, lines: Sequence[dict[str, Any]]) -> None:
        self._tally.activity_count += 1
        if row.was_unknown:
            self._tally.unknown_count += 1
            return
        history = self._histories[row.member_id]
        decision = self._decision(row, lines, history)

        if row.reversed_at is not None:
            self._tally.reversed_count += 1
            self._expect(_Reversal(row.reversed_at, row.member_id, row.id))
            self._decided[row.id] = _Decided(row.occurred_at, decision)
        if decision.awards:
            self._tally.add(row.member_id, row.occurred_at, decision.awards)
        if self._budgets:
            self._tally.note_limits(decision, row.occurred_at, self._budgets)

    def _decision(
        self, row: Stored, lines: Sequence[dict[str, Any]], history: MemberHistory
    ) -> Decision:
        """Return the decision, after it was carried into the member's history."""
        programme = self._programme
        products = products_of(row, lines)
        facts, candidates = self._reader.read(row, products, history)
        quests = (
            programme.quest_index.candidates(
                row.occurred_at, row.activity_type_id, row.units, products
            )
            if programme.quests
            else ()
        )
        base = self._rules[row.activity_type_id]
        decision = evaluate(
            facts, history, base, candidates, programme.rules, self._budgets, quests
        )
        absorb(decision, facts, history)
        if self._budgets:
            consume(decision, self._budgets)
        if decision.quest_steps:
            self._number_steps(row, decision, history)
        return decision

    def _number_steps(
        self, row: Stored, decision: Decision, history: MemberHistory
    ) -> None:
        """Let what counts towards quests name its activity, as stored rows do."""
        prizes = {award.offer.id for award in decision.awards}
        for step in decision.quest_steps:
            quest = history.quests[step.quest_id]
            made = quest.contributions[-1]
            quest.contributions[-1] = made._replace(activity_id=row.id)
            if step.quest_id in prizes:
                quest.prizes[-1] = (quest.prizes[-1][0], row.id)
                self._decided[row.id] = _Decided(row.occurred_at, decision)

    def _expect(self, event: Given | _Reversal) -> None:
        heappush(self._ahead, (event.at, next(self._place), event))

    def _meet_next(self) -> None:
        at, _, event = heappop(self._ahead)
        if isinstance(event, Given):
            self._meet(event)
            return
        together = [event.activity_id]
        later: list[tuple[datetime, int, Given | _Reversal]] = []
        while self._ahead and self._ahead[0][0] == at:
            other = heappop(self._ahead)
            if (
                isinstance(other[2], _Reversal)
                and other[2].member_id == event.member_id
            ):
                together.append(other[2].activity_id)
            else:
                later.append(other)
        for one in later:
            heappush(self._ahead, one)
        self._undo(event.member_id, at, together)

    def _meet(self, given: Given) -> None:
        history = self._histories[given.member_id]
        if given.score is None:
            history.tier_timeline.append((given.at, given.tier_id))
            return
        history.score += given.score
        self._settle_tier(history, given.at)

    def _undo(self, member_id: int, at: datetime, activity_ids: list[int]) -> None:
        """Take activities of one member back that were reversed together."""
        history = self._histories[member_id]
        gone = self._lost_prizes(history, frozenset(activity_ids))
        for activity_id in activity_ids:
            occurred_at, decision = self._decided[activity_id]
            lost = [
                award
                for award in decision.awards
                if award.offer.id not in self._quests
                or (activity_id, award.offer.id) in gone
            ]
            self._take_back(member_id, occurred_at, lost)
            for counted in decision.counted:
                if counted.offer_id in self._quests:
                    continue
                history.completions[counted.offer_id].remove(
                    Completion(occurred_at, counted.is_paid)
                )
        for activity_id, quest_id in gone:
            if activity_id not in activity_ids and activity_id in self._decided:
                occurred_at, decision = self._decided[activity_id]
                prize = [one for one in decision.awards if one.offer.id == quest_id]
                self._take_back(member_id, occurred_at, prize)
        self._settle_tier(history, at)

    def _lost_prizes(
        self, history: MemberHistory, reversed_ids: frozenset[int]
    ) -> set[tuple[int, int]]:
        """Take the activities out of the quests; return the prizes that go."""
        gone: set[tuple[int, int]] = set()
        for quest_id, one in history.quests.items():
            quest = self._quests.get(quest_id)
            touched = any(
                made.activity_id in reversed_ids for made in one.contributions
            )
            if quest is None or not touched:
                continue
            lost = prizes_to_take_back(quest, one, reversed_ids)
            gone |= {(activity_id, quest_id) for activity_id in lost}
            one.contributions = [
                made
                for made in one.contributions
                if made.activity_id not in reversed_ids
            ]
            one.prizes = [prize for prize in one.prizes if prize[1] not in lost]
        return gone

    def _take_back(
        self, member_id: int, occurred_at: datetime, awards: Sequence[Award]
    ) -> None:
        self._tally.remove(member_id, occurred_at, awards)
        history = self._histories[member_id]
        for award in awards:
            history.score -= award.points * award.offer.wallet.score_units
            for offer_id in {award.offer.id, award.offer.campaign_id}:
                if offer_id is not None and offer_id in self._budgets:
                    _return(self._budgets[offer_id], award.points)

    def _settle_tier(self, history: MemberHistory, at: datetime) -> None:
        """Let the tier follow a score that a reversal or an interaction moved."""
        tiers = self._programme.rules.tiers
        if not tiers:
            return
        timeline = history.tier_timeline
        latest_since, held = timeline[-1] if timeline else (at, None)
        tier_id = tier_for(history.score, tiers)
        if tier_id != held:
            # The timeline only grows at its end.
            timeline.append((max(at, latest_since), tier_id))


def _return(budget: Budget, points: int) -> None:
    if budget.points_left is not None:
        budget.points_left += points
    if budget.awards_left is not None:
        budget.awards_left += 1
