"""The numbers that the catalogue's two lists give to the kinds.

The extended list's numbers are the written ones, 1 to 8; the plain list leaves out
4 and calls the check-in by its old name.
"""

from django.db import migrations

NUMBERS = {
    "extended": {
        "facebook": (1, "Facebook"),
        "merchandise": (2, "Merchandise"),
        "music": (3, "Music"),
        "tickets": (4, "Tickets"),
        "twitter": (5, "Twitter"),
        "your-site": (6, "Your Site"),
        "check-in": (7, "Check-In"),
        "code-redemption": (8, "Code Redemption"),
    },
    "plain": {
        "facebook": (1, "Facebook"),
        "merchandise": (2, "Merchandise"),
        "music": (3, "Music"),
        "tickets": (5, "Tickets"),
        "twitter": (6, "Twitter"),
        "your-site": (7, "Your Site"),
        "check-in": (8, "Foursquare Check-in"),
        "code-redemption": (9, "Code Redemption"),
    },
}


def ship(apps, schema_editor):
    Kind = apps.get_model("loyalty", "Kind")
    KindNumber = apps.get_model("loyalty", "KindNumber")
    kinds = {kind.key: kind for kind in Kind.objects.all()}
    for numbering, numbers in NUMBERS.items():
        for key, (number, name) in numbers.items():
            KindNumber.objects.update_or_create(
                numbering=numbering,
                kind=kinds[key],
                defaults={"number": number, "name": name},
            )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_number_kinds_per_list")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
