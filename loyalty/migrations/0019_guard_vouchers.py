"""What the database itself guarantees of vouchers."""

from django.db import migrations

# Types are configuration; vouchers, stock and jobs are not.
WATCH = "\n".join(
    f"CREATE TRIGGER configuration_{event.lower()} AFTER {event}"
    f" ON loyalty_vouchertype REFERENCING {side} TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION loyalty_configuration_changed("
    "'SELECT program_id FROM changed', 'voucher type');"
    for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
)
UNWATCH = "\n".join(
    f"DROP TRIGGER IF EXISTS configuration_{event} ON loyalty_vouchertype;"
    for event in ("insert", "update", "delete")
)

OFFER_STAYS_INSIDE = """
CREATE TRIGGER voucher_type_id_stays_inside
BEFORE INSERT OR UPDATE OF voucher_type_id, program_id ON loyalty_offer
FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_other_program(
    'SELECT $1.voucher_type_id IS NOT NULL AND (SELECT t.program_id'
    ' FROM loyalty_vouchertype t WHERE t.id = $1.voucher_type_id)'
    ' IS DISTINCT FROM $1.program_id');
"""

TYPES = """
CREATE FUNCTION loyalty_keep_voucher_type() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM loyalty_voucher v WHERE v.voucher_type_id = NEW.id) THEN
        RAISE EXCEPTION
            'The program, kind, currency and source of codes of a voucher type are '
            'fixed once there are vouchers.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER voucher_type_is_fixed
BEFORE UPDATE OF program_id, kind, currency, codes ON loyalty_vouchertype
FOR EACH ROW WHEN ((OLD.program_id, OLD.kind, OLD.currency, OLD.codes)
                   IS DISTINCT FROM (NEW.program_id, NEW.kind, NEW.currency, NEW.codes))
EXECUTE FUNCTION loyalty_keep_voucher_type();

CREATE FUNCTION loyalty_open_voucher_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty_voucherstock (voucher_type_id, codes_left) VALUES (NEW.id, 0)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER voucher_type_opens_stock
AFTER INSERT OR UPDATE OF codes ON loyalty_vouchertype
FOR EACH ROW WHEN (NEW.codes = 'listed')
EXECUTE FUNCTION loyalty_open_voucher_stock();
"""
UNDO_TYPES = """
DROP FUNCTION loyalty_open_voucher_stock CASCADE;
DROP FUNCTION loyalty_keep_voucher_type CASCADE;
"""

# Once per statement, not per row: lists bring a million rows.
VOUCHERS = """
CREATE FUNCTION loyalty_keep_vouchers_inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT program_id, voucher_type_id FROM changed) c
               JOIN loyalty_vouchertype t ON t.id = c.voucher_type_id
               WHERE t.program_id <> c.program_id)
       OR EXISTS (SELECT 1 FROM changed c JOIN loyalty_member m ON m.id = c.member_id
                  WHERE m.program_id <> c.program_id)
       OR EXISTS (SELECT 1 FROM changed c JOIN loyalty_offer o ON o.id = c.offer_id
                  WHERE o.program_id <> c.program_id)
       OR EXISTS (SELECT 1 FROM changed c
                  JOIN loyalty_voucher p ON p.id = c.regenerated_from_id
                  WHERE (p.program_id, p.voucher_type_id, p.member_id)
                        IS DISTINCT FROM (c.program_id, c.voucher_type_id, c.member_id))
    THEN
        RAISE EXCEPTION 'A row of % refers to another program.', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER voucher_stays_inside_when_added AFTER INSERT ON loyalty_voucher
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_keep_vouchers_inside();
CREATE TRIGGER voucher_stays_inside_when_changed AFTER UPDATE ON loyalty_voucher
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_keep_vouchers_inside();

CREATE FUNCTION loyalty_keep_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a voucher is and to whom it was given cannot be changed.'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER voucher_is_fixed BEFORE UPDATE ON loyalty_voucher FOR EACH ROW
    WHEN ((OLD.program_id, OLD.voucher_type_id, OLD.code, OLD.regenerated_from_id)
          IS DISTINCT FROM
          (NEW.program_id, NEW.voucher_type_id, NEW.code, NEW.regenerated_from_id)
          OR OLD.status <> 'available' AND
          (OLD.member_id, OLD.offer_id, OLD.activity_id, OLD.amount_original,
           OLD.discount_ratio, OLD.issued_at)
          IS DISTINCT FROM
          (NEW.member_id, NEW.offer_id, NEW.activity_id, NEW.amount_original,
           NEW.discount_ratio, NEW.issued_at)
          OR OLD.status IN ('redeemed', 'expired', 'void')
          AND NEW.status <> OLD.status)
    EXECUTE FUNCTION loyalty_keep_voucher();

CREATE TRIGGER voucher_event_is_append_only
    BEFORE UPDATE OR DELETE ON loyalty_voucherevent
    FOR EACH ROW EXECUTE FUNCTION loyalty_refuse_change();
"""
UNDO_VOUCHERS = """
DROP TRIGGER voucher_event_is_append_only ON loyalty_voucherevent;
DROP FUNCTION loyalty_keep_voucher CASCADE;
DROP FUNCTION loyalty_keep_vouchers_inside CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0018_add_vouchers")]

    operations = [
        migrations.RunSQL(WATCH, UNWATCH),
        migrations.RunSQL(
            OFFER_STAYS_INSIDE,
            "DROP TRIGGER voucher_type_id_stays_inside ON loyalty_offer;",
        ),
        migrations.RunSQL(TYPES, UNDO_TYPES),
        migrations.RunSQL(VOUCHERS, UNDO_VOUCHERS),
    ]
