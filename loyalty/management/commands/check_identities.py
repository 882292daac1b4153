"""``manage.py check_identities``: which members are called alike."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyalty.models import Program
from loyalty.services.identities import collisions_of, settle_identities


class Command(BaseCommand):
    """Works out how identities are compared, and lists those that mean the same."""

    help = (
        "Compare identities anew and list members who are called alike; exit 1 if any."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through every program."""
        count = 0
        for program in Program.objects.order_by("pk"):
            settle_identities(program.pk)
            for one in collisions_of(program.pk):
                count += 1
                self.stdout.write(
                    f"{program.code}: {one.kind} “{one.value}” of member "
                    f"{one.member_id} and “{one.other_value}” of member "
                    f"{one.other_member_id} mean the same."
                )
        if count:
            raise CommandError(f"{count} identities mean the same as another member's.")
        self.stdout.write("No two members have identities that mean the same.")
