"""Sending the demo's baskets through the upload path."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files import File

from activities.models import Upload, UploadStatus
from activities.services.demo.configuration import IDENTITY_KIND
from activities.services.demo.source import write_baskets
from activities.services.uploads import UploadOptions, create_upload
from loyalty.models import ActivityType, Channel

if TYPE_CHECKING:
    from datetime import datetime

    from loyalty.models import Program

FIRST_MONTH = "baskets-2017-01.parquet"
REST_OF_YEAR = "baskets-2017-02-to-12.parquet"
WHOLE_YEAR = "baskets-2017.parquet"
# A year of local days: the data runs into the first hours of 2018.
_SPANS: dict[str, tuple[date | None, date | None]] = {
    FIRST_MONTH: (None, date(2017, 2, 1)),
    REST_OF_YEAR: (date(2017, 2, 1), None),
    WHOLE_YEAR: (None, None),
}


def upload_baskets(program: Program, name: str, *, now: datetime) -> Upload:
    """Return the upload of one span of the data, created if it is not there.

    A cancelled, failed or undone one does not count: it is uploaded anew.
    """
    gone = (UploadStatus.CANCELLED, UploadStatus.FAILED, UploadStatus.UNDONE)
    known = Upload.objects.filter(program=program, original_name=name)
    found = known.exclude(status__in=gone).order_by("-pk").first()
    if found is not None:
        return found
    since, until = _SPANS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_baskets(path, since=since, until=until)
        with path.open("rb") as stream:
            return create_upload(
                program,
                File(stream, name=name),
                now=now,
                options=UploadOptions(
                    source="demo",
                    identity_kind=IDENTITY_KIND,
                    default_activity_type=ActivityType.objects.get(
                        program=program, code="PURCHASE"
                    ),
                    default_channel=Channel.objects.get(program=program, code="STORE"),
                ),
                actor="load_demo",
            )
