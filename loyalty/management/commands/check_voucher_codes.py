"""``manage.py check_voucher_codes``: which codes differ in case and hyphens only."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.models import Voucher


class Command(BaseCommand):
    """Lists codes from before codes were compared as people type them."""

    help = "Names voucher codes that another one of the program means, too."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the codes that are found by their exact spelling only."""
        rows = Voucher.objects.filter(is_code_duplicate=True)
        count = 0
        named = rows.values_list("program__code", "code", "status").order_by("pk")
        for program, code, status in named.iterator():
            count += 1
            self.stdout.write(f"{program}: {code} ({status}) must be typed exactly.")
        if count:
            raise CommandError(f"{count} codes mean the same as another one.")
        self.stdout.write("No two codes of a program mean the same.")
