"""The catalogue's numbered vocabularies, with the numbers that clients know."""

from django.db import migrations

CATEGORIES = {1: "Share", 2: "Socialize", 3: "Interact", 4: "Buy"}
KINDS = {
    1: ("facebook", "Facebook"),
    2: ("merchandise", "Merchandise"),
    3: ("music", "Music"),
    4: ("tickets", "Tickets"),
    5: ("twitter", "Twitter"),
    6: ("your-site", "Your Site"),
    7: ("check-in", "Check-In"),
    8: ("code-redemption", "Code Redemption"),
}
REPORTING_CHANNELS = (
    "Ad hoc points",
    "Code redemption cap",
    "Code redemption other",
    "Content creation and share",
    "Content download",
    "Donation",
    "Email open or click",
    "Email sent from member via program",
    "Facebook",
    "Foursquare",
    "Game played",
    "Instagram",
    "Mobile client app",
    "Mobile partner app",
    "Program login",
    "Purchase merchandise",
    "Purchase season ticket or subscription",
    "Purchase ticket",
    "Registration and profile",
    "Reward redemption",
    "Survey",
    "Sweeps",
    "Twitter",
    "Web client site activity",
    "Web other site activity",
    "Web partner site activity",
)
PERIODS = {
    1: ("24 Hours", "rolling_24_hours", False),
    2: ("One Calendar Day", "calendar_day", True),
    3: ("Seven Calendar Days", "seven_calendar_days", False),
    4: ("One Calendar Week", "calendar_week", True),
    5: ("Lifetime", "lifetime", True),
    6: ("One Calendar Month", "calendar_month", True),
    7: ("One Calendar Year", "calendar_year", False),
    8: ("365 Days", "rolling_365_days", False),
    9: ("30 Days", "rolling_30_days", False),
    10: ("90 Days", "rolling_90_days", True),
    11: ("180 Days", "rolling_180_days", True),
}


def ship(apps, schema_editor):
    Category = apps.get_model("loyalty", "Category")
    Kind = apps.get_model("loyalty", "Kind")
    ReportingChannel = apps.get_model("loyalty", "ReportingChannel")
    FrequencyPeriod = apps.get_model("loyalty", "FrequencyPeriod")
    for number, name in CATEGORIES.items():
        Category.objects.update_or_create(id=number, defaults={"name": name})
    for number, (key, name) in KINDS.items():
        Kind.objects.update_or_create(id=number, defaults={"key": key, "name": name})
    for number, name in enumerate(REPORTING_CHANNELS, start=1):
        ReportingChannel.objects.update_or_create(id=number, defaults={"name": name})
    for number, (name, unit, is_active) in PERIODS.items():
        FrequencyPeriod.objects.update_or_create(
            id=number, defaults={"name": name, "unit": unit, "is_active": is_active}
        )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
