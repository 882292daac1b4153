"""What members bring along at the start of a backtest's period."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from activities.services.backtesting.trial import limited_offers, reachable_offers
from activities.services.gathering import gather_codes
from activities.services.standing import load_standings
from campaigns.services import quests
from loyalty.engine.conditions import counted_around
from loyalty.engine.facts import Budget, Completion, MemberHistory, QuestHistory

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from activities.services.backtesting.trial import Span
    from loyalty.engine.programme import Programme


class Given(NamedTuple):
    """Something that befell a member within the period beside its activities.

    Either a ``score`` that counts for the tier, in 1/10,000 point, or a ``tier`` set
    by hand.
    """

    at: datetime
    member_id: int
    score: int | None = None
    tier_id: int | None = None


class Start(NamedTuple):
    """Members as the period found them, and what befell them within it."""

    histories: dict[int, MemberHistory]
    given: list[Given]


class HistoryLoader:
    """Loads members as they were when the period began; a few queries at a time."""

    def __init__(self, programme: Programme, span: Span) -> None:
        """Load what ``programme`` asks for, as of the start of ``span``."""
        self._programme = programme
        self._span = span
        clock = programme.rules.clock
        self._counting = {
            offer.id: counted_around(offer, span.starts_at, clock).start
            for offer in reachable_offers(programme)
            if offer.counts_completions
        }
        self._quest_ids = [
            quest.id for quest in programme.quests if quest.offer.is_enabled
        ]

    def load(self, member_ids: Collection[int]) -> Start:
        """Return what the members bring along."""
        histories = {one: MemberHistory(member_id=one) for one in member_ids}
        load_standings(self._programme, histories)
        if self._counting:
            self._load_completions(histories)
        if self._quest_ids:
            self._load_quests(histories)
        given: list[Given] = []
        if self._programme.rules.tiers:
            self._load_scores(histories, given)
            self._load_tiers(histories, given)
        return Start(histories, given)

    def _load_completions(self, histories: dict[int, MemberHistory]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.member_id, c.offer_id, c.occurred_at, c.is_paid"
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS v(offer_id, low)"
                " JOIN loyalty_completion c ON c.offer_id = v.offer_id"
                " AND c.member_id = ANY(%s)"
                " AND c.occurred_at >= v.low AND c.occurred_at < %s",
                [
                    list(self._counting),
                    list(self._counting.values()),
                    list(histories),
                    self._span.starts_at,
                ],
            )
            for member_id, offer_id, occurred_at, is_paid in cursor.fetchall():
                found = histories[member_id].completions.setdefault(offer_id, [])
                found.append(Completion(occurred_at, is_paid))

    def _load_quests(self, histories: dict[int, MemberHistory]) -> None:
        found = quests.histories_of(histories, self._quest_ids)
        before = self._span.starts_at
        for member_id, joined in found.enrolled_at.items():
            histories[member_id].enrolled_at = joined
        for member_id, by_quest in quests.by_member(found).items():
            histories[member_id].quests = {
                quest_id: QuestHistory(
                    one.opt_ins,
                    [made for made in one.contributions if made.occurred_at < before],
                    [prize for prize in one.prizes if prize[0] < before],
                )
                for quest_id, one in by_quest.items()
            }

    def _load_scores(
        self, histories: dict[int, MemberHistory], given: list[Given]
    ) -> None:
        """Load scores; what interactions gave within the period comes in its time."""
        scoring = self._programme.scoring_wallets
        wallets = [list(scoring), list(scoring.values())]
        with connection.cursor() as cursor:
            cursor.execute(_SCORES, [*wallets, list(histories), self._span.starts_at])
            for member_id, points in cursor.fetchall():
                histories[member_id].score = int(points)
            cursor.execute(_INTERACTIONS, [*wallets, list(histories), *self._span])
            given += [Given(at, one, score=int(score)) for one, at, score in cursor]

    def _load_tiers(
        self, histories: dict[int, MemberHistory], given: list[Given]
    ) -> None:
        """Keep the steps before the period; those set by hand come in their time."""
        for history in histories.values():
            history.tier_timeline = []
        with connection.cursor() as cursor:
            cursor.execute(_TIERS, [list(histories), self._span.ends_at])
            for member_id, since, tier_id, is_by_hand in cursor.fetchall():
                if since < self._span.starts_at:
                    histories[member_id].tier_timeline.append((since, tier_id))
                elif is_by_hand:
                    given.append(Given(since, member_id, tier_id=tier_id))


_SCORES = """
SELECT a.member_id, sum(e.amount * w.units)
FROM unnest(%s::bigint[], %s::numeric[]) AS w(id, units)
JOIN loyalty_account a ON a.wallet_id = w.id
JOIN loyalty_entry e ON e.credit_account_id = a.id
WHERE a.member_id = ANY(%s) AND e.kind = 'award'
    AND e.occurred_at < %s
    AND NOT EXISTS (SELECT FROM loyalty_entry r WHERE r.reverses_id = e.id)
    AND NOT EXISTS (SELECT FROM activities_activityreversal x
                    WHERE x.activity_id = e.activity_id)
GROUP BY a.member_id
"""
_INTERACTIONS = """
SELECT a.member_id, e.created_at, e.amount * w.units
FROM unnest(%s::bigint[], %s::numeric[]) AS w(id, units)
JOIN loyalty_account a ON a.wallet_id = w.id
JOIN loyalty_entry e ON e.credit_account_id = a.id
JOIN activities_interaction i ON i.id = e.activity_id
WHERE a.member_id = ANY(%s) AND e.kind = 'award'
    AND e.occurred_at >= %s AND e.occurred_at < %s
ORDER BY e.created_at, e.id
"""
_TIERS = """
SELECT member_id, since, tier_id, cause IN ('manual', 'configuration')
FROM loyalty_membertier WHERE member_id = ANY(%s) AND since < %s ORDER BY since, id
"""


def budgets_at(programme: Programme, moment: datetime) -> dict[int, Budget]:
    """Return what every reachable offer with a limit had left at ``moment``.

    Of lists of codes, what is left today and what was given since then.
    """
    limited = limited_offers(programme)
    used = _used_before(programme, moment)
    budgets = {}
    for offer_id, offer in limited.items():
        points, awards = used.get(offer_id, (0, 0))
        budgets[offer_id] = Budget(
            None if offer.points_budget is None else offer.points_budget - points,
            None if offer.awards_budget is None else offer.awards_budget - awards,
        )
    gather_codes(budgets, limited.values(), lock=False)
    _return_codes(budgets, moment)
    return budgets


def _used_before(programme: Programme, moment: datetime) -> dict[int, tuple[int, int]]:
    """Return points and awards given before ``moment``, by offer.

    A campaign's are those of its reward methods as well.
    """
    owner = {
        offer.id: offer.campaign_id or offer.id
        for offer in reachable_offers(programme)
        if offer.id in limited_offers(programme)
        or (offer.campaign_id or 0) in limited_offers(programme)
    }
    completing = [one for one in owner if programme.offers[one].leaves_completions]
    used: dict[int, tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, [completing, list(owner), moment])
        rows = cursor.fetchall()
    for offer_id, points, awards in rows:
        for one in {offer_id, owner[offer_id]}:
            before = used.get(one, (0, 0))
            used[one] = (before[0] + int(points), before[1] + awards)
    return used


_GIVEN = """
SELECT o.id, coalesce(e.points, 0),
    CASE WHEN o.id = ANY(%s) THEN coalesce(c.awards, 0) ELSE coalesce(e.awards, 0) END
FROM unnest(%s::bigint[]) AS o(id)
CROSS JOIN (SELECT %s::timestamptz AS at) v
LEFT JOIN LATERAL (
    SELECT sum(e.amount) AS points, count(*) AS awards FROM loyalty_entry e
    WHERE e.offer_id = o.id AND e.kind = 'award' AND e.occurred_at < v.at
        AND NOT EXISTS (SELECT FROM loyalty_entry r WHERE r.reverses_id = e.id)
        AND NOT EXISTS (SELECT FROM activities_activityreversal x
                        WHERE x.activity_id = e.activity_id)
) e ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS awards FROM loyalty_completion c
    WHERE c.offer_id = o.id AND c.is_paid AND c.occurred_at < v.at
) c ON true
"""


def _return_codes(budgets: dict[int, Budget], moment: datetime) -> None:
    taking = {one: budget.codes for one, budget in budgets.items() if budget.codes}
    if not taking:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT offer_id, count(*) FROM loyalty_completion"
            " WHERE offer_id = ANY(%s) AND is_paid AND occurred_at >= %s GROUP BY 1",
            [list(taking), moment],
        )
        for offer_id, count in cursor.fetchall():
            taking[offer_id].left += count
