"""Campaigns and item lists are configuration too, and stay inside their program."""

from django.db import migrations

CAMPAIGN = (
    "SELECT o.program_id FROM changed c JOIN loyalty_offer o ON o.id = c.{column}"
)
WATCHED = {
    "campaigns_campaign": ("campaign", CAMPAIGN.format(column="offer_ptr_id")),
    "campaigns_campaign_channels": ("campaign", CAMPAIGN.format(column="campaign_id")),
    "campaigns_campaign_activity_types": (
        "campaign",
        CAMPAIGN.format(column="campaign_id"),
    ),
    "campaigns_campaign_included_segments": (
        "campaign",
        CAMPAIGN.format(column="campaign_id"),
    ),
    "campaigns_campaign_excluded_segments": (
        "campaign",
        CAMPAIGN.format(column="campaign_id"),
    ),
    "campaigns_itemlist": ("item list", "SELECT program_id FROM changed"),
    "campaigns_listeditem": (
        "item list",
        "SELECT l.program_id FROM campaigns_itemlist l WHERE EXISTS"
        " (SELECT 1 FROM changed c WHERE c.item_list_id = l.id)",
    ),
}

# (table, column, program of the row, table it points to, key of that table)
INSIDE = [
    ("campaigns_campaign", "item_list_id", "offer_ptr_id", "campaigns_itemlist", "id"),
    (
        "campaigns_campaign_channels",
        "channel_id",
        "campaign_id",
        "loyalty_channel",
        "id",
    ),
    (
        "campaigns_campaign_activity_types",
        "activitytype_id",
        "campaign_id",
        "loyalty_offer",
        "id",
    ),
    (
        "campaigns_campaign_included_segments",
        "segment_id",
        "campaign_id",
        "loyalty_segment",
        "id",
    ),
    (
        "campaigns_campaign_excluded_segments",
        "segment_id",
        "campaign_id",
        "loyalty_segment",
        "id",
    ),
    ("loyalty_activitytype", "segment_id", "offer_ptr_id", "loyalty_segment", "id"),
    ("loyalty_activitytype", "partner_id", "offer_ptr_id", "loyalty_partner", "id"),
    ("loyalty_activitytype_tags", "tag_id", "activitytype_id", "loyalty_tag", "id"),
]

CONTEXT = """
CREATE FUNCTION campaigns_keep_context() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The context of a campaign cannot be changed.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER campaign_context_is_fixed BEFORE UPDATE OF context ON campaigns_campaign
    FOR EACH ROW WHEN (OLD.context IS DISTINCT FROM NEW.context)
    EXECUTE FUNCTION campaigns_keep_context();
"""


def watch(table, kind, query):
    """Return SQL that notes every change of ``table`` as a new revision."""
    return "\n".join(
        f"CREATE TRIGGER configuration_{event.lower()} AFTER {event} ON {table}"
        f" REFERENCING {side} TABLE AS changed FOR EACH STATEMENT"
        f" EXECUTE FUNCTION loyalty_configuration_changed('{query}', '{kind}');"
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


def stay_inside(table, column, owner, target, key):
    """Return SQL that refuses a ``column`` that points into another program."""
    query = (
        f"SELECT $1.{column} IS NOT NULL AND (SELECT t.program_id FROM {target} t"
        f" WHERE t.{key} = $1.{column}) IS DISTINCT FROM (SELECT o.program_id"
        f" FROM loyalty_offer o WHERE o.id = $1.{owner})"
    )
    return (
        f"CREATE TRIGGER {column}_stays_inside BEFORE INSERT OR UPDATE OF {column}"
        f" ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION loyalty_refuse_other_program('{query}');"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("loyalty", "0003_guard_with_triggers"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                watch(table, kind, query),
                "\n".join(
                    f"DROP TRIGGER IF EXISTS configuration_{event} ON {table};"
                    for event in ("insert", "update", "delete")
                ),
            )
            for table, (kind, query) in WATCHED.items()
        ),
        *(
            migrations.RunSQL(
                stay_inside(*rule),
                f"DROP TRIGGER {rule[1]}_stays_inside ON {rule[0]};",
            )
            for rule in INSIDE
        ),
        migrations.RunSQL(CONTEXT, "DROP FUNCTION campaigns_keep_context CASCADE;"),
    ]
