"""Make the groups of staff: Marketing, Support, Analyst, Operator."""

from typing import Any

from django.core.management.base import BaseCommand

from loyalty.services.groups import create_groups


class Command(BaseCommand):
    """Make the groups of staff, or bring them up to date; safe to run twice."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them and say what each may do."""
        for name, count in create_groups().items():
            self.stdout.write(f"{name}: {count} permissions")
