"""Usage is counted in several slots of each offer, so that payers seldom wait."""

import django.db.models.deletion
from django.db import migrations, models

SLOTS = 16

# The rows that stand become slot 0; the first payment evens them out. Half of each
# page stays free for the newer versions of its rows, which so need no index entries.
SPLIT = f"""
ALTER TABLE campaigns_campaignusage DROP CONSTRAINT campaigns_campaignusage_pkey;
ALTER TABLE campaigns_campaignusage ADD COLUMN slot smallint NOT NULL DEFAULT 0
    CONSTRAINT campaigns_campaignusage_slot_check CHECK (slot >= 0);
ALTER TABLE campaigns_campaignusage ALTER COLUMN slot DROP DEFAULT;
ALTER TABLE campaigns_campaignusage ADD PRIMARY KEY (campaign_id, slot);
ALTER TABLE campaigns_campaignusage SET (fillfactor = 50);
ALTER TABLE campaigns_campaignusage ADD CONSTRAINT campaign_usage_has_so_many_slots
    CHECK (slot < {SLOTS});
INSERT INTO campaigns_campaignusage (campaign_id, slot, points_paid, awards_paid)
SELECT campaign_id, s.slot, 0, 0
FROM campaigns_campaignusage, generate_series(1, {SLOTS} - 1) AS s(slot)
"""
JOIN = """
UPDATE campaigns_campaignusage u
SET points_paid = s.points_paid, awards_paid = s.awards_paid
FROM (SELECT campaign_id, sum(points_paid) AS points_paid,
             sum(awards_paid) AS awards_paid
      FROM campaigns_campaignusage GROUP BY campaign_id) s
WHERE u.campaign_id = s.campaign_id AND u.slot = 0;
DELETE FROM campaigns_campaignusage WHERE slot > 0;
ALTER TABLE campaigns_campaignusage DROP CONSTRAINT campaigns_campaignusage_pkey;
ALTER TABLE campaigns_campaignusage DROP COLUMN slot;
ALTER TABLE campaigns_campaignusage ADD PRIMARY KEY (campaign_id);
ALTER TABLE campaigns_campaignusage RESET (fillfactor)
"""

MODEL = migrations.CreateModel(
    name="CampaignUsage",
    fields=[
        (
            "pk",
            models.CompositePrimaryKey(
                "campaign_id",
                "slot",
                blank=True,
                editable=False,
                primary_key=True,
                serialize=False,
            ),
        ),
        ("slot", models.PositiveSmallIntegerField()),
        ("points_paid", models.BigIntegerField(default=0)),
        ("awards_paid", models.BigIntegerField(default=0)),
        (
            "campaign",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="usage",
                to="loyalty.offer",
            ),
        ),
    ],
    options={
        "constraints": [
            models.CheckConstraint(
                condition=models.Q(("awards_paid__gte", 0), ("points_paid__gte", 0)),
                name="campaign_usage_is_never_negative",
                violation_error_message="A campaign never gives less than nothing.",
            ),
            models.CheckConstraint(
                condition=models.Q(("slot__lt", SLOTS)),
                name="campaign_usage_has_so_many_slots",
                violation_error_message="Usage is counted in 16 slots.",
            ),
        ],
    },
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_keep_holdouts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SPLIT, JOIN)],
            state_operations=[migrations.DeleteModel("CampaignUsage"), MODEL],
        ),
    ]
