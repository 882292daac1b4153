"""Turn thresholds and scores from smallest units of a wallet into points.

Until now they counted the smallest unit of whatever wallet counts for the tier: 100
were 10.0 points of a wallet with one decimal. Divided by its decimals they mean the
same members as before. Where wallets of different decimals count in one program their
sums had no meaning; there the wallet in which most was earned decides.
"""

from django.db import migrations

_UNITS = """
    WITH unit AS (
        SELECT DISTINCT ON (w.program_id) w.program_id, power(10::numeric, w.decimals) AS per_point
        FROM loyalty_wallet w LEFT JOIN LATERAL (
            SELECT sum(a.lifetime_earned) AS points FROM loyalty_account a
            WHERE a.wallet_id = w.id AND a.member_id IS NOT NULL
        ) earned ON true
        WHERE w.counts_for_tier
        ORDER BY w.program_id, coalesce(earned.points, 0) DESC, w.decimals DESC
    )
"""
_THRESHOLDS = """
    UPDATE loyalty_tier t SET threshold = t.threshold {sign} unit.per_point
    FROM unit WHERE unit.program_id = t.program_id AND unit.per_point > 1
"""
_SCORES = """
    UPDATE loyalty_membertier h SET score = h.score {sign} unit.per_point
    FROM loyalty_member m JOIN unit ON unit.program_id = m.program_id
    WHERE m.id = h.member_id AND unit.per_point > 1
"""


def _statements(sign):
    return [_UNITS + one.format(sign=sign) for one in (_THRESHOLDS, _SCORES)]


class Migration(migrations.Migration):

    dependencies = [("loyalty", "0027_count_scores_in_points")]

    operations = [migrations.RunSQL(_statements("/"), _statements("*"))]
