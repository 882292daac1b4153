"""From the rules of a segment to one SQL query for its members.

Every rule is a set of members; groups put the sets together with INTERSECT, UNION
and EXCEPT. So a refresh of a million members is a handful of hash operations, and
no plan of PostgreSQL's can make it a loop over them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from loyalty.engine.facts import EVER
from loyalty.errors import LoyaltyError
from loyalty.models import Comparison, RuleGroup, SegmentFact, SegmentRule
from loyalty.models.points import BALANCE_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

_OPERATORS = {
    Comparison.AT_LEAST.value: ">=",
    Comparison.AT_MOST.value: "<=",
    Comparison.EQUALS.value: "=",
    Comparison.DIFFERS.value: "<>",
}
# A return is no visit; it lowers the sum of values alone.
_VISITS = "FILTER (WHERE NOT a.is_return)"
_VALUE = "coalesce(sum(coalesce(a.counted_value, a.value)), 0)"
_LAST_VISIT = f"max(a.occurred_at) {_VISITS}"
# What a number in text looks like; other text is no number.
_NUMBER = r"^-?\d{1,18}(\.\d{1,9})?$"


class SegmentCycle(LoyaltyError):
    """The segments would wait for each other."""

    code = "segment_cycle"


class Query(NamedTuple):
    """SQL that returns member ids, with its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


class Scope(NamedTuple):
    """Of whom a query speaks, and when; ``only`` limits it to some members."""

    program_id: int
    now: datetime
    only: list[int] | None = None

    def members(self, condition: str = "", *parameters: Any) -> Query:
        """Return the members of the program that meet a condition on ``m``."""
        limits = self.limit_on("m.id")
        return Query(
            f"SELECT m.id FROM loyalty_member m WHERE m.program_id = %s"  # noqa: S608 (own words)
            f"{limits.sql}{condition and f' AND ({condition})'}",
            (self.program_id, *limits.parameters, *parameters),
        )

    def limit_on(self, column: str) -> Query:
        if self.only is None:
            return Query("")
        return Query(f" AND {column} = ANY(%s)", (self.only,))

    def activities(self, rule: SegmentRule, condition: str, *parameters: Any) -> Query:
        """Return who did what a rule is about, if their sums meet a condition.

        Activities that were reversed, or lie ahead, do not count.
        """
        limits = self.limit_on("a.member_id")
        narrowed, values = limits.sql, [*limits.parameters]
        if rule.activity_type_id:
            narrowed += " AND a.activity_type_id = %s"
            values.append(rule.activity_type_id)
        if rule.days:
            narrowed += " AND a.occurred_at > %s"
            values.append(moment_before(self.now, rule.days))
        return Query(
            "SELECT a.member_id AS id FROM activities_activity a"  # noqa: S608 (own words)
            " LEFT JOIN activities_activityreversal r ON r.activity_id = a.id"
            " WHERE a.program_id = %s AND a.member_id IS NOT NULL"
            f" AND r.activity_id IS NULL AND a.occurred_at <= %s{narrowed}"
            f" GROUP BY a.member_id HAVING {condition}",
            (self.program_id, self.now, *values, *parameters),
        )


def members_query(rules: Sequence[SegmentRule], scope: Scope) -> Query:
    """Return the query for the members whom the rules let in.

    Without a rule in the groups ``all`` and ``any`` nobody is let in: a segment
    that is just being made must not hold everybody.
    """
    sets: dict[str, list[Query]] = {group: [] for group in RuleGroup.values}
    for rule in rules:
        sets[rule.group].append(_FACTS[rule.fact](rule, scope))

    if not sets[RuleGroup.ALL] and not sets[RuleGroup.ANY]:
        return Query("SELECT id FROM loyalty_member WHERE false")
    query = scope.members()
    for one in sets[RuleGroup.ALL]:
        query = _combined("INTERSECT", [query, one])
    if sets[RuleGroup.ANY]:
        query = _combined("INTERSECT", [query, _combined("UNION", sets[RuleGroup.ANY])])
    for one in sets[RuleGroup.NONE]:
        query = _combined("EXCEPT", [query, one])
    return query


def _combined(operator: str, queries: Sequence[Query]) -> Query:
    sql = f" {operator} ".join(f"({query.sql})" for query in queries)
    return Query(sql, tuple(one for query in queries for one in query.parameters))


def _tier(rule: SegmentRule, scope: Scope) -> Query:
    if rule.comparison == Comparison.EQUALS:
        return scope.members("m.tier_id = %s", rule.tier_id)
    threshold = "(SELECT t.threshold FROM loyalty_tier t WHERE t.id = m.tier_id)"
    wanted = "(SELECT t.threshold FROM loyalty_tier t WHERE t.id = %s)"
    # Whoever holds no tier stands below all of them.
    below = " OR m.tier_id IS NULL" if rule.comparison == Comparison.AT_MOST else ""
    operator = _OPERATORS[rule.comparison]
    return scope.members(f"{threshold} {operator} {wanted}{below}", rule.tier_id)


def _points(held_at: str, *, is_dated: bool) -> Callable[[SegmentRule, Scope], Query]:
    def compiled(rule: SegmentRule, scope: Scope) -> Query:
        if rule.wallet is None or rule.number is None:
            raise ValueError("A rule about points names a wallet and a number.")
        amount = rule.number.scaleb(rule.wallet.decimals)
        limits = scope.limit_on("a.member_id")
        at = (scope.now,) if is_dated else ()

        def held(operator: str) -> Query:
            return Query(
                "SELECT a.member_id FROM loyalty_account a WHERE a.wallet_id = %s"  # noqa: S608 (own words)
                " AND a.member_id IS NOT NULL"
                f" AND {held_at} {operator} %s{limits.sql}",
                (rule.wallet_id, *at, amount, *limits.parameters),
            )

        # Whoever has no account holds nothing.
        if not _holds(0, rule.comparison, amount):
            return held(_OPERATORS[rule.comparison])
        return _combined("EXCEPT", [scope.members(), held(_opposite(rule))])

    return compiled


def _sum_of_activities(aggregate: str) -> Callable[[SegmentRule, Scope], Query]:
    def compiled(rule: SegmentRule, scope: Scope) -> Query:
        if not _holds(0, rule.comparison, rule.number):
            condition = f"{aggregate} {_OPERATORS[rule.comparison]} %s"
            return scope.activities(rule, condition, rule.number)
        others = scope.activities(
            rule, f"{aggregate} {_opposite(rule)} %s", rule.number
        )
        return _combined("EXCEPT", [scope.members(), others])

    return compiled


def _last_activity(rule: SegmentRule, scope: Scope) -> Query:
    """Return by the days since the last one; nobody who never did anything."""
    return scope.activities(
        rule, f"{_LAST_VISIT} {_opposite_moment(rule)} %s", _days_ago(rule, scope)
    )


def _enrolled(rule: SegmentRule, scope: Scope) -> Query:
    return scope.members(
        f"m.enrolled_at {_opposite_moment(rule)} %s", _days_ago(rule, scope)
    )


def _opposite_moment(rule: SegmentRule) -> str:
    """Return the operator on moments: more days ago is an earlier moment."""
    return "<=" if rule.comparison == Comparison.AT_LEAST else ">="


def _days_ago(rule: SegmentRule, scope: Scope) -> datetime:
    return moment_before(scope.now, float(rule.number or 0))


def _attribute(rule: SegmentRule, scope: Scope) -> Query:
    held = "m.attributes ->> %s"
    if rule.number is None:
        operator = "IS DISTINCT FROM" if rule.comparison == "differs" else "="
        return scope.members(f"{held} {operator} %s", rule.attribute, rule.text)
    as_number = f"CASE WHEN {held} ~ %s THEN ({held})::numeric END"
    return scope.members(
        f"{as_number} {_OPERATORS[rule.comparison]} %s",
        *(rule.attribute, _NUMBER, rule.attribute, rule.number),
    )


def _business_unit(rule: SegmentRule, scope: Scope) -> Query:
    operator = "=" if rule.comparison == Comparison.EQUALS else "IS DISTINCT FROM"
    return scope.members(f"m.business_unit_id {operator} %s", rule.business_unit_id)


def _segment(rule: SegmentRule, scope: Scope) -> Query:
    limits = scope.limit_on("member_id")
    inside = Query(
        "SELECT member_id FROM loyalty_segmentmembership WHERE segment_id = %s"  # noqa: S608 (own words)
        " AND (entered_at IS NULL OR entered_at <= %s)"
        f" AND (left_at IS NULL OR left_at > %s){limits.sql}",
        (rule.other_segment_id, scope.now, scope.now, *limits.parameters),
    )
    if rule.comparison == Comparison.EQUALS:
        return inside
    return _combined("EXCEPT", [scope.members(), inside])


def _holds(value: int, comparison: str, number: Any) -> bool:
    return bool(value >= number if comparison == "at_least" else value <= number)


def _opposite(rule: SegmentRule) -> str:
    return "<" if rule.comparison == Comparison.AT_LEAST else ">"


_FACTS: dict[str, Callable[[SegmentRule, Scope], Query]] = {
    SegmentFact.TIER: _tier,
    SegmentFact.BALANCE: _points(BALANCE_AT, is_dated=True),
    SegmentFact.LIFETIME_EARNED: _points("a.lifetime_earned", is_dated=False),
    SegmentFact.ACTIVITY_COUNT: _sum_of_activities(f"count(*) {_VISITS}"),
    SegmentFact.ACTIVITY_VALUE: _sum_of_activities(_VALUE),
    SegmentFact.LAST_ACTIVITY: _last_activity,
    SegmentFact.ENROLLED: _enrolled,
    SegmentFact.ATTRIBUTE: _attribute,
    SegmentFact.BUSINESS_UNIT: _business_unit,
    SegmentFact.SEGMENT: _segment,
}


def in_order(segment_ids: Iterable[int]) -> list[int]:
    """Return the segments so that each comes after those its rules are about.

    Raises:
        SegmentCycle: some would wait for each other.
    """
    wanted = sorted(segment_ids)
    needs = _needs()
    order: list[int] = []
    for segment_id in wanted:
        _place(segment_id, needs, order, ())
    return [one for one in order if one in set(wanted)]


def refuse_cycle(segment_id: int, other_segment_ids: Iterable[int]) -> None:
    """Refuse rules of a segment that lead back to it.

    Raises:
        SegmentCycle: they do.
    """
    needs = _needs() | {segment_id: set(other_segment_ids)}
    _place(segment_id, needs, [], ())


def _needs() -> dict[int, set[int]]:
    needs: dict[int, set[int]] = {}
    rules = SegmentRule.objects.filter(other_segment__isnull=False)
    for segment_id, other_id in rules.values_list("segment_id", "other_segment_id"):
        needs.setdefault(segment_id, set()).add(other_id)
    return needs


def _place(
    segment_id: int, needs: dict[int, set[int]], order: list[int], way: tuple[int, ...]
) -> None:
    if segment_id in way:
        raise SegmentCycle(
            "These segments would wait for each other: a rule leads back to its own "
            "segment.",
            field="other_segment",
        )
    if segment_id in order:
        return
    for other_id in sorted(needs.get(segment_id, ())):
        _place(other_id, needs, order, (*way, segment_id))
    order.append(segment_id)


def moment_before(moment: datetime, days: float) -> datetime:
    """Return the moment ``days`` earlier; before the calendar began it is its start."""
    try:
        return moment - timedelta(days=days)
    except OverflowError:
        return EVER
