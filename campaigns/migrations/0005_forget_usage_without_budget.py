"""Usage is forgotten with its budget; a budget set again looks back at everything."""

from django.db import migrations

# Nobody counts while there is no budget. The lock makes recordings under way, which
# still count, end first; see loyalty_revise.
FORGET = """
CREATE FUNCTION campaigns_forget_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7301, program_id::int)
    FROM loyalty_offer WHERE id = NEW.offer_ptr_id;
    DELETE FROM campaigns_campaignusage WHERE campaign_id = NEW.offer_ptr_id;
    RETURN NULL;
END $$;
CREATE TRIGGER usage_ends_with_its_budget
    AFTER UPDATE OF points_budget, awards_budget ON campaigns_campaign
    FOR EACH ROW WHEN (NEW.points_budget IS NULL AND NEW.awards_budget IS NULL
        AND (OLD.points_budget IS NOT NULL OR OLD.awards_budget IS NOT NULL))
    EXECUTE FUNCTION campaigns_forget_usage();
CREATE TRIGGER usage_ends_with_its_budget
    AFTER UPDATE OF completions_total ON campaigns_quest
    FOR EACH ROW WHEN (NEW.completions_total IS NULL
        AND OLD.completions_total IS NOT NULL)
    EXECUTE FUNCTION campaigns_forget_usage();

DELETE FROM campaigns_campaignusage u
WHERE NOT EXISTS (SELECT 1 FROM campaigns_campaign c
                  WHERE c.offer_ptr_id = u.campaign_id
                  AND (c.points_budget IS NOT NULL OR c.awards_budget IS NOT NULL))
  AND NOT EXISTS (SELECT 1 FROM campaigns_quest q
                  WHERE q.offer_ptr_id = u.campaign_id
                  AND q.completions_total IS NOT NULL);
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_guard_quests")]

    operations = [
        migrations.RunSQL(FORGET, "DROP FUNCTION campaigns_forget_usage CASCADE;")
    ]
