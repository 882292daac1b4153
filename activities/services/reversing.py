"""Undoing activities: points, caps, budgets and tiers go back, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Max

from activities.models import Activity
from activities.services.gathering import UNDONE
from activities.services.segments import note_moved
from campaigns.services import budgets, quests
from campaigns.services.programme import programme_for_update
from loyalty import ledger
from loyalty.engine.tiers import tier_for
from loyalty.ledger.awards import post_tier_changes
from loyalty.ledger.holdings import copy_lines, copy_text
from loyalty.models import EntryKind, Member, MemberTier, TierCause
from loyalty.services import vouchers

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from loyalty.engine.programme import Programme
    from loyalty.ledger.holdings import Holdings


def reverse_activities(
    program_id: int,
    activity_ids: Collection[int],
    *,
    now: datetime,
    reason: str,
    actor: str = "",
    frees_keys: bool = False,
) -> list[int]:
    """Undo activities; return the ids of those that were not undone before.

    Takes back exactly what was awarded, from what was recorded, not from today's
    rules. A quest's prize goes if the activities that are left do not hold it, with
    whichever of them it came, and stays if they do. Numbers that are not of this
    program are passed over. Undoing twice does nothing the second time. With
    ``frees_keys`` their keys can be used again, once; the rows stay.

    Locks the configuration (shared), anonymous profiles that are nobody's yet, the
    members, their vouchers, then campaign usage.
    """
    with transaction.atomic():
        programme = programme_for_update(program_id)
        _lock_unknown_actors(program_id, activity_ids)
        member_ids = _members_of(program_id, activity_ids)
        ledger.lock_members(member_ids)
        # After the locks: somebody else may have undone some in the meantime.
        todo = _standing(program_id, activity_ids)
        if todo:
            holdings = ledger.holdings_of(member_ids)
            prizes = quests.take_back(programme, todo)
            uses = _uses_of(programme, todo, prizes)
            _open_budgets(programme, todo, uses)
            undone = ledger.reverse_awards(
                ledger.Undoing(program_id, todo, now, reason, *prizes), holdings
            )
            vouchers.void_for_activities(
                vouchers.Reversal(todo, *prizes), now=now, reason=reason, actor=actor
            )
            _lower_tiers(programme, member_ids, holdings, now)
            _mark(todo, now, reason, actor)
            note_moved(programme, member_ids)
            # The last, so that others who pay from them wait for the commit only.
            budgets.give_back(_given(undone, uses), programme.offers)
        if frees_keys:
            _free_keys(program_id, activity_ids)
    return todo


def _free_keys(program_id: int, activity_ids: Collection[int]) -> None:
    """Give back the keys of activities that are undone, whenever that was."""
    rows = Activity.objects.filter(program_id=program_id, pk__in=activity_ids)
    rows.filter(holds_key=True, reversal__isnull=False).update(holds_key=None)


def _lock_unknown_actors(program_id: int, activity_ids: Collection[int]) -> None:
    """Let merges that would pay for the activities end, or wait for the reversal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM loyalty_anonymousprofile WHERE id IN"
            " (SELECT anonymous_profile_id FROM activities_activity"
            "  WHERE program_id = %s AND id = ANY(%s) AND member_id IS NULL)"
            " ORDER BY id FOR NO KEY UPDATE",
            [program_id, list(activity_ids)],
        )


def _uses_of(
    programme: Programme, activity_ids: Collection[int], prizes: quests.Undone
) -> list[tuple[int, int]]:
    """Return what the activities completed and was paid, as (activity, offer).

    Of vouchers and blanks nothing else tells. A campaign that its methods completed
    has given what they gave.
    """
    taken = list(zip(*prizes.taken, strict=True)) or [(), ()]
    kept = set(prizes.kept)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT activity_id, offer_id FROM loyalty_completion WHERE is_paid AND"
            " (activity_id = ANY(%s) OR (activity_id, offer_id) IN"
            "  (SELECT * FROM unnest(%s::bigint[], %s::bigint[])))",
            [list(activity_ids), *map(list, taken)],
        )
        pairs = [pair for pair in cursor.fetchall() if pair not in kept]
    of_methods = {
        (activity_id, programme.offers[offer_id].campaign_id)
        for activity_id, offer_id in pairs
    }
    return [pair for pair in pairs if pair not in of_methods]


def _given(
    undone: list[ledger.Reversed], uses: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return (offer, points) of each award that was taken back."""
    points = dict.fromkeys(uses, 0)
    for one in undone:
        pair = (one.activity_id, one.offer_id)
        points[pair] = points.get(pair, 0) + one.amount
    return [(offer_id, amount) for (_, offer_id), amount in points.items()]


def _open_budgets(
    programme: Programme, activity_ids: Collection[int], uses: list[tuple[int, int]]
) -> None:
    """Count what budgets paid before it goes back: others may be about to count."""
    limited = {one.id for one in programme.offers.values() if one.has_budget}
    if not limited:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT offer_id FROM loyalty_entry WHERE kind = %s"
            " AND activity_id = ANY(%s)",
            [EntryKind.AWARD.value, list(activity_ids)],
        )
        paid = {row[0] for row in cursor.fetchall()}
    paid |= {offer_id for _, offer_id in uses}
    limited &= paid | {programme.offers[one].campaign_id for one in paid}
    if limited:
        budgets.open_missing(limited, undone=UNDONE)


def _members_of(program_id: int, activity_ids: Collection[int]) -> list[int]:
    rows = Activity.objects.filter(program_id=program_id, pk__in=activity_ids)
    rows = rows.filter(member__isnull=False)
    return sorted(rows.values_list("member__pk", flat=True).distinct())


def _standing(program_id: int, activity_ids: Collection[int]) -> list[int]:
    rows = Activity.objects.filter(
        program_id=program_id, pk__in=activity_ids, reversal=None
    )
    return sorted(rows.values_list("pk", flat=True))


def _lower_tiers(
    programme: Programme, member_ids: list[int], holdings: Holdings, now: datetime
) -> None:
    if not programme.rules.tiers:
        return
    scores = dict.fromkeys(member_ids, 0)
    for (member_id, wallet_id), holding in holdings.items():
        if wallet_id in programme.scoring_wallets:
            units = programme.scoring_wallets[wallet_id]
            scores[member_id] += holding.lifetime_earned * units
    held = dict(Member.objects.filter(pk__in=member_ids).values_list("pk", "tier_id"))
    current = {
        member_id: tier_id
        for member_id, score in scores.items()
        if (tier_id := tier_for(score, programme.rules.tiers)) != held[member_id]
    }
    latest = _latest_steps(current)
    post_tier_changes(
        [
            (
                member_id,
                tier_id,
                # Activities may lie a little ahead of now; the timeline only grows.
                max(now, latest.get(member_id, now)),
                TierCause.REVERSAL.value,
                scores[member_id],
                None,
            )
            for member_id, tier_id in current.items()
        ],
        current,
    )


def _latest_steps(member_ids: Collection[int]) -> dict[int, datetime]:
    rows = MemberTier.objects.filter(member__in=member_ids).values("member_id")
    return {row["member_id"]: row["at"] for row in rows.annotate(at=Max("since"))}


def _mark(activity_ids: list[int], now: datetime, reason: str, actor: str) -> None:
    copy_lines(
        "activities_activityreversal",
        "activity_id, reason, actor, occurred_at, created_at, record",
        [
            f"{one}\t{copy_text(reason)}\t{copy_text(actor)}\t{now}\t{now}\t{{}}\n"
            for one in activity_ids
        ],
    )
