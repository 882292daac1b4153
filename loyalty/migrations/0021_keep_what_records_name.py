"""What decision records name of a wallet, and what vouchers are, stays as it is."""

from django.db import migrations

# The lock makes recordings under way, which may be giving the first points or
# vouchers, end first; see loyalty_revise. Debits alone leave no lot, so it is the
# accounts that tell whether points were moved.
KEEP = """
CREATE OR REPLACE FUNCTION loyalty_keep_wallet_decimals() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7301, NEW.program_id::int);
    IF EXISTS (SELECT 1 FROM loyalty_account a
               WHERE a.wallet_id = NEW.id AND a.member_id IS NOT NULL) THEN
        RAISE EXCEPTION 'The decimals of a wallet are fixed once points were given.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION loyalty_keep_wallet_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7301, NEW.program_id::int);
    IF EXISTS (SELECT 1 FROM loyalty_account a
               WHERE a.wallet_id = NEW.id AND a.member_id IS NOT NULL) THEN
        RAISE EXCEPTION 'The code of a wallet is fixed once points were given: what '
            'explains them names it.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallet_code_is_fixed BEFORE UPDATE OF code ON loyalty_wallet
    FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code)
    EXECUTE FUNCTION loyalty_keep_wallet_code();

CREATE OR REPLACE FUNCTION loyalty_keep_voucher_type() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7301, OLD.program_id::int);
    IF EXISTS (SELECT 1 FROM loyalty_voucher v WHERE v.voucher_type_id = NEW.id) THEN
        RAISE EXCEPTION
            'The program, kind, currency and source of codes of a voucher type are '
            'fixed once there are vouchers.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""
UNDO = """
DROP FUNCTION loyalty_keep_wallet_code CASCADE;

CREATE OR REPLACE FUNCTION loyalty_keep_wallet_decimals() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id
               WHERE a.wallet_id = NEW.id) THEN
        RAISE EXCEPTION 'The decimals of a wallet are fixed once points were given.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0020_page_given_vouchers")]

    operations = [migrations.RunSQL(KEEP, UNDO)]
