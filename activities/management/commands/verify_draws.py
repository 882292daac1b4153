"""Draw every kept draw again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from activities.models import Draw
from activities.services.draws import wrong_draws


class Command(BaseCommand):
    help = "Prove that every draw comes out as it was kept; exit 1 if one does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", type=int, help="Number of one program.")

    def handle(self, *args: Any, program: int | None = None, **options: Any) -> None:
        wrong = 0
        for one in wrong_draws(program):
            wrong += 1
            self.stderr.write(
                f"Draw {one.draw_id} of activity {one.activity_id}: {one.problem}."
            )
        if wrong:
            raise CommandError(f"{wrong} draws do not come out as they were kept.")
        rows = (
            Draw.objects.all()
            if program is None
            else Draw.objects.filter(program=program)
        )
        self.stdout.write(f"{rows.count()} draws come out as they were kept.")
