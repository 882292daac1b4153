"""Groups and reward methods are configuration and stay inside their program."""

from django.db import migrations

OFFER = "SELECT o.program_id FROM changed c JOIN loyalty_offer o ON o.id = c.{column}"
OWN = "SELECT program_id FROM changed"
LINKS = ("qualify_groups", "business_units")
WATCHED = {
    **{
        f"campaigns_campaign_{name}": ("campaign", OFFER.format(column="campaign_id"))
        for name in LINKS
    },
    "campaigns_campaigngroup": ("campaign group", OWN),
    "campaigns_assignedgroup": ("assigned group", OWN),
    "campaigns_rewardmethod": (
        "reward method",
        OFFER.format(column="offer_ptr_id"),
    ),
    **{
        f"campaigns_rewardmethod_{name}": (
            "reward method",
            OFFER.format(column="rewardmethod_id"),
        )
        for name in (*LINKS, "included_segments", "excluded_segments")
    },
}

# (table, column, the offer it belongs to, table it points to)
INSIDE = [
    ("campaigns_campaign", "group_id", "offer_ptr_id", "campaigns_campaigngroup"),
    ("campaigns_campaign", "point_cost_wallet_id", "offer_ptr_id", "loyalty_wallet"),
    *(
        (f"campaigns_{table}_{link}", column, f"{table}_id", target)
        for table in ("campaign", "rewardmethod")
        for link, column, target in (
            ("qualify_groups", "assignedgroup_id", "campaigns_assignedgroup"),
            ("business_units", "businessunit_id", "loyalty_businessunit"),
        )
    ),
    *(
        (f"campaigns_rewardmethod_{link}", "segment_id", "rewardmethod_id", target)
        for link, target in (
            ("included_segments", "loyalty_segment"),
            ("excluded_segments", "loyalty_segment"),
        )
    ),
    ("campaigns_rewardmethod", "parent_id", "offer_ptr_id", "loyalty_offer"),
    (
        "campaigns_rewardmethod",
        "redeem_group_id",
        "offer_ptr_id",
        "campaigns_assignedgroup",
    ),
    (
        "campaigns_rewardmethod",
        "usage_cost_wallet_id",
        "offer_ptr_id",
        "loyalty_wallet",
    ),
]

KINDS = """
CREATE FUNCTION campaigns_match_group_kind() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text := TG_ARGV[0];
    group_id bigint := (to_jsonb(NEW) ->> TG_ARGV[1])::bigint;
BEGIN
    IF group_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM campaigns_assignedgroup g WHERE g.id = group_id
         AND g.kind = wanted) THEN
        RAISE EXCEPTION '%', CASE wanted
            WHEN 'qualify' THEN 'A group of products to reward cannot qualify a basket.'
            ELSE 'A group of products to qualify cannot be rewarded.' END
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER group_is_for_qualifying BEFORE INSERT OR UPDATE
    ON campaigns_campaign_qualify_groups FOR EACH ROW
    EXECUTE FUNCTION campaigns_match_group_kind('qualify', 'assignedgroup_id');
CREATE TRIGGER group_is_for_qualifying BEFORE INSERT OR UPDATE
    ON campaigns_rewardmethod_qualify_groups FOR EACH ROW
    EXECUTE FUNCTION campaigns_match_group_kind('qualify', 'assignedgroup_id');
CREATE TRIGGER group_is_for_rewarding BEFORE INSERT OR UPDATE OF redeem_group_id
    ON campaigns_rewardmethod FOR EACH ROW
    EXECUTE FUNCTION campaigns_match_group_kind('redeem', 'redeem_group_id');

CREATE FUNCTION campaigns_keep_group_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a group of products is used for is fixed.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER group_kind_is_fixed BEFORE UPDATE OF kind ON campaigns_assignedgroup
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind)
    EXECUTE FUNCTION campaigns_keep_group_kind();

CREATE FUNCTION campaigns_keep_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A reward method stays with its campaign.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER method_parent_is_fixed BEFORE UPDATE OF parent_id
    ON campaigns_rewardmethod
    FOR EACH ROW WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id)
    EXECUTE FUNCTION campaigns_keep_parent();

CREATE TRIGGER usage_ends_with_its_budget
    AFTER UPDATE OF usage_limit ON campaigns_rewardmethod
    FOR EACH ROW WHEN (NEW.usage_limit IS NULL AND OLD.usage_limit IS NOT NULL)
    EXECUTE FUNCTION campaigns_forget_usage();
"""
UNDO_KINDS = """
DROP TRIGGER usage_ends_with_its_budget ON campaigns_rewardmethod;
DROP FUNCTION campaigns_match_group_kind CASCADE;
DROP FUNCTION campaigns_keep_group_kind CASCADE;
DROP FUNCTION campaigns_keep_parent CASCADE;
"""

# One default was written into every campaign that stood already.
SALTS = """
UPDATE campaigns_campaign
SET holdout_salt = substr(md5(random()::text || offer_ptr_id), 1, 16)
"""


def watch(table, kind, query):
    """Return SQL that notes every change of ``table`` as a new revision."""
    return "\n".join(
        f"CREATE TRIGGER configuration_{event.lower()} AFTER {event} ON {table}"
        f" REFERENCING {side} TABLE AS changed FOR EACH STATEMENT"
        f" EXECUTE FUNCTION loyalty_configuration_changed('{query}', '{kind}');"
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


def unwatch(table):
    """Return SQL that drops what ``watch`` made."""
    return "\n".join(
        f"DROP TRIGGER IF EXISTS configuration_{event} ON {table};"
        for event in ("insert", "update", "delete")
    )


def stay_inside(table, column, owner, target):
    """Return SQL that refuses a ``column`` that points into another program."""
    query = (
        f"SELECT $1.{column} IS NOT NULL AND (SELECT t.program_id FROM {target} t"
        f" WHERE t.id = $1.{column}) IS DISTINCT FROM (SELECT o.program_id"
        f" FROM loyalty_offer o WHERE o.id = $1.{owner})"
    )
    return (
        f"CREATE TRIGGER {column}_stays_inside BEFORE INSERT OR UPDATE OF {column}"
        f" ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION loyalty_refuse_other_program('{query}');"
    )


LIST_INSIDE = (
    "CREATE TRIGGER item_list_id_stays_inside BEFORE INSERT OR UPDATE OF item_list_id"
    " ON campaigns_assignedgroup FOR EACH ROW EXECUTE FUNCTION"
    " loyalty_refuse_other_program('SELECT (SELECT t.program_id"
    " FROM campaigns_itemlist t WHERE t.id = $1.item_list_id)"
    " IS DISTINCT FROM $1.program_id');"
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_compose_campaigns")]

    operations = [
        migrations.RunSQL(SALTS, migrations.RunSQL.noop),
        *(
            migrations.RunSQL(watch(table, kind, query), unwatch(table))
            for table, (kind, query) in WATCHED.items()
        ),
        *(
            migrations.RunSQL(
                stay_inside(*rule), f"DROP TRIGGER {rule[1]}_stays_inside ON {rule[0]};"
            )
            for rule in INSIDE
        ),
        migrations.RunSQL(
            LIST_INSIDE,
            "DROP TRIGGER item_list_id_stays_inside ON campaigns_assignedgroup;",
        ),
        migrations.RunSQL(KINDS, UNDO_KINDS),
    ]
