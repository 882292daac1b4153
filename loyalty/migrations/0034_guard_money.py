"""Every change of rates, currency or bounds is a revision; the currency stays."""

from django.db import migrations

RATES = "\n".join(
    f"CREATE TRIGGER configuration_{event.lower()} AFTER {event}"
    f" ON loyalty_exchangerate REFERENCING {side} TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION loyalty_configuration_changed("
    "'SELECT program_id FROM changed', 'exchange rate');"
    for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
)
UNDO_RATES = "\n".join(
    f"DROP TRIGGER IF EXISTS configuration_{event} ON loyalty_exchangerate;"
    for event in ("insert", "update", "delete")
)
# Beside program_changed, whose columns other migrations list.
PROGRAM = """
CREATE TRIGGER program_money_changed AFTER UPDATE OF
    currency, line_value_max, activity_value_max, line_quantity_max,
    activity_points_max
ON loyalty_program FOR EACH ROW
WHEN ((OLD.currency, OLD.line_value_max, OLD.activity_value_max,
       OLD.line_quantity_max, OLD.activity_points_max)
      IS DISTINCT FROM
      (NEW.currency, NEW.line_value_max, NEW.activity_value_max,
       NEW.line_quantity_max, NEW.activity_points_max))
EXECUTE FUNCTION loyalty_program_changed();

CREATE FUNCTION loyalty_keep_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM loyalty_entry e WHERE e.program_id = NEW.id) THEN
        RAISE EXCEPTION 'The currency of a program is fixed once points were given.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER program_keeps_its_currency BEFORE UPDATE OF currency
ON loyalty_program FOR EACH ROW
WHEN (OLD.currency <> '' AND OLD.currency IS DISTINCT FROM NEW.currency)
EXECUTE FUNCTION loyalty_keep_currency();
"""
UNDO_PROGRAM = """
DROP TRIGGER program_money_changed ON loyalty_program;
DROP FUNCTION loyalty_keep_currency CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0033_count_in_a_currency"),
    ]

    operations = [
        migrations.RunSQL(RATES, UNDO_RATES),
        migrations.RunSQL(PROGRAM, UNDO_PROGRAM),
    ]
