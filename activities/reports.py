"""Numbers for people about activities, and the laws that tie them to points."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.ledger import Mismatch, mismatches
from loyalty.ledger.check import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDS = """(SELECT id, decision FROM activities_activity UNION ALL
    SELECT activity_id, decision FROM activities_latedecision UNION ALL
    SELECT id, decision FROM activities_interaction)"""

# Each query returns (where, stored, expected) for every row that breaks the law.
LAWS: dict[str, str] = {
    "Every award that an activity's record explains was posted, and no other": """
        WITH explained AS (
            SELECT a.id AS activity_id, (w->>'offer')::bigint AS offer_id,
                   sum((w->>'points')::bigint) AS points
            FROM (SELECT id, decision FROM activities_activity UNION ALL
                  SELECT activity_id, decision FROM activities_latedecision UNION ALL
                  SELECT id, decision FROM activities_interaction) a,
                 jsonb_array_elements(a.decision->'awards') w
            WHERE (w->>'points')::bigint <> 0
            GROUP BY 1, 2
        ), posted AS (
            SELECT activity_id, offer_id, sum(amount) AS points
            FROM loyalty_entry WHERE kind = 'award' GROUP BY 1, 2
        )
        SELECT 'activity ' || coalesce(e.activity_id, p.activity_id) || ', offer '
               || coalesce(e.offer_id, p.offer_id), p.points, e.points
        FROM explained e FULL JOIN posted p
          ON p.activity_id = e.activity_id AND p.offer_id = e.offer_id
        WHERE e.points IS DISTINCT FROM p.points
    """,
    "A reversed activity leaves no award standing that could be taken back": """
        SELECT 'entry ' || e.id, e.amount, 0
        FROM loyalty_entry e
        JOIN activities_activityreversal r ON r.activity_id = e.activity_id
        JOIN loyalty_lot l ON l.entry_id = e.id
        WHERE e.kind = 'award' AND l.remaining > 0
          AND NOT EXISTS (SELECT 1 FROM loyalty_completion c
                          WHERE c.activity_id = e.activity_id
                            AND c.offer_id = e.offer_id AND c.is_paid)
    """,
    "A quest is advanced by activities that stand, and by no other": """
        SELECT 'contribution ' || c.id, c.units, 0
        FROM campaigns_questcontribution c
        LEFT JOIN activities_activity a ON a.id = c.activity_id
             AND a.member_id = c.member_id
        LEFT JOIN activities_activityreversal r ON r.activity_id = a.id
        WHERE a.id IS NULL OR r.activity_id IS NOT NULL
    """,
    "A quest gives each prize that stands to a member who takes part": """
        SELECT 'completion ' || c.id, 1, 0
        FROM loyalty_completion c JOIN campaigns_quest q ON q.offer_ptr_id = c.offer_id
        WHERE NOT EXISTS (SELECT 1 FROM campaigns_questoptin o
                          WHERE o.quest_id = c.offer_id AND o.member_id = c.member_id)
    """,
    "A paid completion is of an award that a record explains": """
        WITH explained AS (
            SELECT a.id AS activity_id, named.offer_id
            FROM (SELECT id, decision FROM activities_activity UNION ALL
                  SELECT activity_id, decision FROM activities_latedecision UNION ALL
                  SELECT id, decision FROM activities_interaction) a,
                 jsonb_array_elements(a.decision->'awards') w,
                 LATERAL (VALUES ((w->>'offer')::bigint), ((w->>'campaign')::bigint))
                 AS named(offer_id)
            UNION SELECT id, campaign_id FROM activities_interaction
        )
        SELECT 'completion ' || c.id, 1, 0
        FROM loyalty_completion c
        LEFT JOIN explained e ON e.activity_id = c.activity_id
             AND e.offer_id = c.offer_id
        WHERE c.is_paid AND e.activity_id IS NULL
    """,
    # Only they say how often they gave, until they are taken back; quests apart,
    # whose prizes go with other activities, too.
    "Everything that a reward method gave is counted while it stands": f"""
        WITH explained AS (
            SELECT a.id AS activity_id, (w->>'offer')::bigint AS offer_id
            FROM {_RECORDS} a, jsonb_array_elements(a.decision->'awards') w
            WHERE w->>'kind' <> 'quest' AND w ?| ARRAY['campaign', 'voucher', 'blank']
            UNION SELECT id, campaign_id FROM activities_interaction
        )
        SELECT 'activity ' || e.activity_id || ', offer ' || e.offer_id, 0, 1
        FROM explained e
        LEFT JOIN loyalty_completion c ON c.activity_id = e.activity_id
             AND c.offer_id = e.offer_id AND c.is_paid
        LEFT JOIN activities_activityreversal r ON r.activity_id = e.activity_id
        WHERE c.id IS NULL AND r.activity_id IS NULL
    """,  # noqa: S608 (constants of this module)
    "Every price that a record tells was paid, and no other": """
        WITH explained AS (
            SELECT i.id AS activity_id, w.id AS wallet_id,
                   sum((price->>'points')::bigint) AS points
            FROM activities_interaction i,
                 jsonb_array_elements(i.decision->'prices') price
                 JOIN loyalty_wallet w ON w.code = price->>'wallet'
            WHERE w.program_id = i.program_id GROUP BY 1, 2
        ), paid AS (
            SELECT e.activity_id, d.wallet_id, sum(e.amount) AS points
            FROM loyalty_entry e JOIN loyalty_account d ON d.id = e.debit_account_id
            WHERE e.kind = 'spend' AND e.activity_id IS NOT NULL GROUP BY 1, 2
        )
        SELECT 'interaction ' || coalesce(e.activity_id, p.activity_id) || ', wallet '
               || coalesce(e.wallet_id, p.wallet_id), p.points, e.points
        FROM explained e FULL JOIN paid p
          ON p.activity_id = e.activity_id AND p.wallet_id = e.wallet_id
        WHERE e.points IS DISTINCT FROM p.points
    """,
    "Every draw that a record tells is kept, and no other": f"""
        WITH told AS (
            SELECT a.id AS activity_id, (d->>'campaign')::bigint AS campaign_id,
                   count(*) AS n
            FROM {_RECORDS} a, jsonb_array_elements(a.decision->'draws') d
            GROUP BY 1, 2
        ), kept AS (
            SELECT activity_id, campaign_id, count(*) AS n
            FROM activities_draw GROUP BY 1, 2
        )
        SELECT 'activity ' || coalesce(t.activity_id, k.activity_id) || ', campaign '
               || coalesce(t.campaign_id, k.campaign_id), k.n, t.n
        FROM told t FULL JOIN kept k
          ON k.activity_id = t.activity_id AND k.campaign_id = t.campaign_id
        WHERE k.n IS DISTINCT FROM t.n
    """,  # noqa: S608 (constants of this module)
    "Every voucher that a record explains was given, and no other": f"""
        WITH explained AS (
            SELECT a.id AS activity_id, (w->>'offer')::bigint AS offer_id, count(*) AS n
            FROM {_RECORDS} a, jsonb_array_elements(a.decision->'awards') w
            WHERE w ? 'voucher' GROUP BY 1, 2
        ), given AS (
            SELECT activity_id, offer_id, count(*) AS n FROM loyalty_voucher
            WHERE activity_id IS NOT NULL AND regenerated_from_id IS NULL
            GROUP BY 1, 2
        )
        SELECT 'activity ' || coalesce(e.activity_id, g.activity_id) || ', offer '
               || coalesce(e.offer_id, g.offer_id), g.n, e.n
        FROM explained e FULL JOIN given g
          ON g.activity_id = e.activity_id AND g.offer_id = e.offer_id
        WHERE e.n IS DISTINCT FROM g.n
    """,  # noqa: S608 (constants of this module)
    "A voucher of an award that was taken back cannot be used": """
        SELECT 'voucher ' || v.id, 1, 0
        FROM loyalty_voucher v
        LEFT JOIN loyalty_completion c ON c.activity_id = v.activity_id
             AND c.offer_id = v.offer_id AND c.is_paid
        WHERE v.status IN ('generated', 'claimed') AND v.activity_id IS NOT NULL
          AND c.id IS NULL
    """,
    # What a quest or a reward method gave stands as long as its completion does, and
    # a voucher or a blank leaves nothing else; see reversing. A campaign that its
    # methods completed has given what they gave.
    "The usage of a budget is what stands of what was given from it": """
        WITH used AS (
            SELECT campaign_id, sum(points_paid) AS points, sum(awards_paid) AS awards
            FROM campaigns_campaignusage GROUP BY campaign_id
        ), giving AS (
            SELECT campaign_id, campaign_id AS offer_id FROM used
            UNION ALL
            SELECT m.parent_id, m.offer_ptr_id
            FROM campaigns_rewardmethod m JOIN used u ON u.campaign_id = m.parent_id
        ), given AS (
            SELECT g.campaign_id, e.offer_id, e.activity_id, e.amount AS points
            FROM giving g
            JOIN loyalty_offer o ON o.id = g.offer_id
            JOIN loyalty_entry e ON e.offer_id = o.id AND e.kind = 'award'
            LEFT JOIN activities_activityreversal x ON x.activity_id = e.activity_id
            LEFT JOIN loyalty_completion c ON c.activity_id = e.activity_id
                 AND c.offer_id = e.offer_id AND c.is_paid
            WHERE CASE WHEN o.kind IN ('quest', 'reward_method')
                  THEN c.id IS NOT NULL ELSE x.activity_id IS NULL END
            UNION ALL
            SELECT g.campaign_id, c.offer_id, c.activity_id, 0
            FROM giving g JOIN loyalty_completion c ON c.offer_id = g.offer_id
            WHERE c.is_paid AND NOT EXISTS (
                SELECT 1 FROM campaigns_rewardmethod m
                JOIN loyalty_completion q ON q.offer_id = m.offer_ptr_id
                WHERE m.parent_id = c.offer_id AND q.activity_id = c.activity_id
                  AND q.is_paid)
        ), stands AS (
            SELECT campaign_id, sum(points) AS points,
                   count(DISTINCT (offer_id, activity_id)) AS awards
            FROM given GROUP BY campaign_id
        )
        SELECT what.name || ' of offer ' || u.campaign_id, what.used, what.stands
        FROM used u LEFT JOIN stands s ON s.campaign_id = u.campaign_id,
             LATERAL (VALUES ('points', u.points, coalesce(s.points, 0)),
                             ('awards', u.awards, coalesce(s.awards, 0)))
             AS what(name, used, stands)
        WHERE what.used <> what.stands
    """,
    "A member holds the tier of the last step of the history": """
        SELECT 'member ' || m.id, m.tier_id, t.tier_id
        FROM loyalty_member m
        JOIN LATERAL (SELECT tier_id FROM loyalty_membertier h WHERE h.member_id = m.id
                      ORDER BY since DESC, id DESC LIMIT 1) t ON true
        WHERE m.tier_id IS DISTINCT FROM t.tier_id
    """,
}


def ledger_mismatches() -> Iterator[Mismatch]:
    """Yield every sum in the ledger, and every explanation, that does not add up."""
    yield from mismatches()
    yield from broken(LAWS)


class BucketTotal(NamedTuple):
    """Points given and taken back, by bucket; in the wallet's smallest unit."""

    wallet: str
    bucket: str
    awards: int
    points: int
    reversed_points: int


def bucket_totals(program_id: int) -> list[BucketTotal]:
    """Return what a program has given, by wallet and bucket."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.code, e.bucket, count(*) FILTER (WHERE e.kind = 'award'),"
            " coalesce(sum(e.amount) FILTER (WHERE e.kind = 'award'), 0)::bigint,"
            " coalesce(sum(e.amount) FILTER (WHERE e.kind = 'reversal'), 0)::bigint"
            " FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.debit_account_id"
            " JOIN loyalty_wallet w ON w.id = a.wallet_id"
            " WHERE e.program_id = %s AND e.kind IN ('award', 'reversal')"
            " GROUP BY w.code, e.bucket ORDER BY w.code, e.bucket",
            [program_id],
        )
        return [BucketTotal(*row) for row in cursor.fetchall()]
