"""Whom a campaign holds out is fixed once it has given something."""

from django.db import migrations

# The lock makes recordings under way, which may be giving, end first; see
# loyalty_revise.
KEEP = """
CREATE FUNCTION campaigns_keep_holdout() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    offers bigint[];
BEGIN
    IF NEW.holdout_salt IS DISTINCT FROM OLD.holdout_salt THEN
        RAISE EXCEPTION 'The salt of a holdout is made once and stays.'
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(7301, program_id::int)
    FROM loyalty_offer WHERE id = NEW.offer_ptr_id;
    offers := ARRAY(SELECT NEW.offer_ptr_id UNION ALL SELECT offer_ptr_id
                    FROM campaigns_rewardmethod WHERE parent_id = NEW.offer_ptr_id);
    IF EXISTS (SELECT 1 FROM loyalty_entry
               WHERE offer_id = ANY(offers) AND kind = 'award')
       OR EXISTS (SELECT 1 FROM loyalty_completion
                  WHERE offer_id = ANY(offers) AND is_paid) THEN
        RAISE EXCEPTION 'This campaign has given something already, so whom it holds'
            ' out is fixed. To measure with another share, duplicate it.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER holdout_is_kept BEFORE UPDATE OF holdout_percent, holdout_salt
    ON campaigns_campaign FOR EACH ROW
    WHEN (OLD.holdout_percent IS DISTINCT FROM NEW.holdout_percent
          OR OLD.holdout_salt IS DISTINCT FROM NEW.holdout_salt)
    EXECUTE FUNCTION campaigns_keep_holdout();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_guard_compositions")]

    operations = [
        migrations.RunSQL(KEEP, "DROP FUNCTION campaigns_keep_holdout CASCADE;")
    ]
