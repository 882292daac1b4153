"""Build the demo programme and load its year of purchases."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from activities import tasks
from activities.models import Upload, UploadStatus
from activities.reports import bucket_totals
from activities.services import demo, uploads
from loyalty.errors import LoyaltyError
from loyalty.services import clock

_POLL_SECONDS = 0.5
_HOURS_MAX = 6
_ACTOR = "load_demo"


class Command(BaseCommand):
    """Build the configuration; send the baskets through the upload path."""

    help = (
        "Builds the demo programme and loads its year of purchases through the "
        "upload path. Safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say which part: all of it here, or in two parts for a running site."""
        part = parser.add_mutually_exclusive_group()
        part.add_argument(
            "--first-month",
            action="store_true",
            help="Load January in this process.",
        )
        part.add_argument(
            "--rest",
            action="store_true",
            help="Add recent weeks; send the rest of the year through the workers.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the part that was asked for."""
        try:
            if options["rest"]:
                self._send(demo.REST_OF_YEAR)
            elif options["first_month"]:
                self._load(demo.FIRST_MONTH)
            else:
                self._load(demo.WHOLE_YEAR)
        except LoyaltyError as error:
            raise CommandError(error.message) from error

    def _load(self, name: str) -> None:
        """Take one file through every step in this process."""
        program = demo.build_configuration()
        upload = demo.upload_baskets(program, name, now=clock.now())
        if upload.status in {UploadStatus.UPLOADED, UploadStatus.VALIDATING}:
            uploads.validate_upload(upload)
            upload.refresh_from_db()
        if upload.status == UploadStatus.VALIDATED:
            upload = uploads.confirm_upload(upload, actor=_ACTOR, now=clock.now())
        if upload.status == UploadStatus.RUNNING:
            until = clock.now() + timedelta(hours=_HOURS_MAX)
            uploads.run_chunks(upload.pk, until=until)
        for total in bucket_totals(program.pk):
            self.stdout.write(
                f"{total.bucket}: {total.points:,} points in {total.awards:,} awards"
            )

    def _send(self, name: str) -> None:
        """Let the workers check one file, confirm it, and let them run it."""
        program = demo.build_configuration()
        count = demo.add_showcase(program, now=clock.now())
        if count:
            self.stdout.write(f"Recent weeks, invented: {count:,} activities.")
        upload = demo.upload_baskets(program, name, now=clock.now())
        if upload.status == UploadStatus.UPLOADED:
            tasks.enqueue_validation(upload.pk)
        if self._checked(upload).status == UploadStatus.VALIDATED:
            upload = uploads.confirm_upload(upload, actor=_ACTOR, now=clock.now())
            tasks.enqueue_run(upload.pk)

    def _checked(self, upload: Upload) -> Upload:
        waiting = {UploadStatus.UPLOADED, UploadStatus.VALIDATING}
        while upload.status in waiting:
            time.sleep(_POLL_SECONDS)
            upload.refresh_from_db()
        return upload
