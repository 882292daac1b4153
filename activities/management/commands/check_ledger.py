"""Prove that the ledger adds up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from activities.reports import ledger_mismatches

_SHOWN_MAX = 100


class Command(BaseCommand):
    """Name every sum that does not add up; exit 1 if there is any."""

    help = "Adds up every account, lot and explanation and names each mismatch."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each mismatch, the first hundred at the most."""
        count = 0
        for one in ledger_mismatches():
            count += 1
            if count <= _SHOWN_MAX:
                self.stdout.write(
                    f"{one.law}: {one.where} has {one.stored}, should be {one.expected}"
                )
        if count:
            raise CommandError(f"{count} mismatches in the ledger.")
        self.stdout.write("The ledger adds up.")
