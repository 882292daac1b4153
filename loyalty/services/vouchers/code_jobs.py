"""Filling the lists of voucher types: codes made in advance or read from a file.

A job is done in steps. Each commits its codes, the stock and the job's own
counters together: killed at any moment, it goes on where it stood, and two workers
at one job never add more than was asked for.
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from loyalty.engine.codes import code_key
from loyalty.errors import LoyaltyError
from loyalty.models import (
    CodeJobKind,
    CodeJobStatus,
    CodeSource,
    VoucherCodeJob,
    VoucherStock,
    VoucherType,
)
from loyalty.services import jobs
from loyalty.services.lists import UnreadableList
from loyalty.services.vouchers.code_files import codes_in
from loyalty.services.vouchers.codes import make_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from django.contrib.auth.models import User
    from django.core.files import File

    from loyalty.services.jobs import Lease

CODES_MAX = 5_000_000
STEP = 25_000
_UNFINISHED = (CodeJobStatus.WAITING.value, CodeJobStatus.RUNNING.value)
_CODES = jobs.Kind(
    what="This list of codes",
    table="loyalty_vouchercodejob",
    waiting=CodeJobStatus.WAITING.value,
    held=CodeJobStatus.RUNNING.value,
    starting="started_at = coalesce(started_at, clock_timestamp())",
    # Its steps lock the job's row: two workers at once do no harm.
    is_exclusive=False,
)
# First number of the advisory lock under which a program's lists are filled: two
# files with the same codes in another order would wait for each other for ever.
_LOCK = 7305


class TypeHasNoList(LoyaltyError):
    """Codes of this type are made when a voucher is given."""

    code = "voucher_type_has_no_list"


class CodeJobNotRestartable(LoyaltyError):
    """The job has not failed, or cannot but fail again."""

    code = "code_job_not_restartable"


class CodeCountOutOfRange(LoyaltyError):
    """Fewer than one code, or more than a job makes."""

    code = "code_count_out_of_range"


def ask_for_codes(
    voucher_type: VoucherType, count: int, *, user: User | None, now: datetime
) -> VoucherCodeJob:
    """Store a job that makes ``count`` codes for the type's list.

    Raises:
        TypeHasNoList: its codes are made when a voucher is given.
        CodeCountOutOfRange: not 1 to ``CODES_MAX``.
    """
    _refuse_without_list(voucher_type)
    if not 1 <= count <= CODES_MAX:
        raise CodeCountOutOfRange(
            f"Ask for 1 to {CODES_MAX:,} codes at once.", field="count"
        )
    return VoucherCodeJob.objects.create(
        voucher_type=voucher_type,
        kind=CodeJobKind.GENERATE,
        asked_count=count,
        created_by=user,
        created_at=now,
    )


def upload_codes(
    voucher_type: VoucherType,
    file: File[bytes],
    *,
    has_heading: bool,
    user: User | None,
    now: datetime,
) -> VoucherCodeJob:
    """Keep a file of codes and store the job that reads it.

    Raises:
        TypeHasNoList: its codes are made when a voucher is given.
    """
    _refuse_without_list(voucher_type)
    return VoucherCodeJob.objects.create(
        voucher_type=voucher_type,
        kind=CodeJobKind.UPLOAD,
        file=file,
        original_name=(file.name or "")[:255],
        has_heading=has_heading,
        created_by=user,
        created_at=now,
    )


def remove_unused_codes(voucher_type: VoucherType, *, only: Sequence[str] = ()) -> int:
    """Take codes off the list that nobody was given; return how many.

    ``only`` names them; without it, all. In steps of their own transactions, with the
    stock.
    """
    keys = [code_key(code) for code in only]
    removed = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM loyalty_voucher WHERE id IN ("
                " SELECT id FROM loyalty_voucher"
                " WHERE voucher_type_id = %s AND status = 'available'"
                " AND member_id IS NULL AND (%s OR code_key = ANY(%s))"
                " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)",
                [voucher_type.pk, not keys, keys, STEP],
            )
            count = int(cursor.rowcount)
            VoucherStock.objects.filter(voucher_type=voucher_type).update(
                codes_left=F("codes_left") - count
            )
        removed += count
        if count < STEP:
            return removed


def run_code_job(job_id: int) -> None:
    """Do what is left of a job; safe to call again, and by two workers at once.

    A file that cannot be read to its end adds nothing: the job fails and says why.
    """
    jobs.attempt(_CODES, job_id, _work, _give_up)


def _work(lease: Lease) -> None:
    job = VoucherCodeJob.objects.select_related("voucher_type").get(pk=lease.job_id)
    if job.kind == CodeJobKind.GENERATE:
        while _generate_some(job.pk):
            _refuse_to_go_on_when_stopping()
        return
    try:
        with default_storage.open(job.file.name or "") as file:
            _read(job, file)
    except UnreadableList as error:
        _fail(job, error.message)
        _delete_file(job)
    else:
        _finish(job)


def _refuse_to_go_on_when_stopping() -> None:
    if jobs.is_stopping():
        raise jobs.Stopping


def _give_up(lease: Lease, reason: str) -> None:
    """Fail, but keep the file: the job may be started again."""
    _fail(VoucherCodeJob.objects.get(pk=lease.job_id), reason)


def restart_code_job(job: VoucherCodeJob) -> None:
    """Let a job that failed go on where it stood; attempts count anew.

    Raises:
        CodeJobNotRestartable: it has not failed, or its file could not be read.
    """
    rows = VoucherCodeJob.objects.filter(pk=job.pk, status=CodeJobStatus.FAILED)
    rows = rows.exclude(kind=CodeJobKind.UPLOAD, file="")
    if not rows.update(
        status=CodeJobStatus.WAITING, error="", tries=0, finished_at=None
    ):
        raise CodeJobNotRestartable("This cannot be started again.")


def stalled_code_jobs(*, now: datetime, after: timedelta) -> list[int]:
    """Return the jobs that should be moving and have not for as long as ``after``."""
    rows = VoucherCodeJob.objects.filter(status__in=_UNFINISHED)
    quiet = Q(last_at__lt=now - after)
    rows = rows.annotate(last_at=Coalesce("touched_at", "created_at")).filter(quiet)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _refuse_without_list(voucher_type: VoucherType) -> None:
    if voucher_type.codes != CodeSource.LISTED:
        raise TypeHasNoList(
            f"Codes of “{voucher_type}” are made when a voucher is given; it has no "
            "list to fill."
        )


def _generate_some(job_id: int) -> bool:
    """Add the next codes; return whether some are left to be made."""
    with transaction.atomic():
        job = _locked(job_id)
        if job is None:
            return False
        left = (job.asked_count or 0) - job.added_count
        count = min(left, STEP)
        codes = make_codes(job.voucher_type.prefix, count)
        added = _add(job.voucher_type, codes)
        is_over = added == left
        _count(job, added=added, is_over=is_over)
    return not is_over


def _read(job: VoucherCodeJob, file: IO[bytes]) -> None:
    """Check the whole file, then add its codes from where the job stands."""
    if job.asked_count is None:
        asked_count = sum(1 for _ in codes_in(file, has_heading=job.has_heading))
        VoucherCodeJob.objects.filter(pk=job.pk).update(asked_count=asked_count)
        file.seek(0)
    with closing(codes_in(file, has_heading=job.has_heading)) as codes:
        position: int | None = 0
        while position is not None:
            _refuse_to_go_on_when_stopping()
            position = _read_some(job.pk, codes, position)


def _read_some(job_id: int, codes: Iterator[str], position: int) -> int | None:
    """Add the next codes of the file; return how far it is read, None at the end.

    Another worker may have been faster: its lines are passed over.
    """
    with transaction.atomic():
        job = _locked(job_id)
        if job is None:
            return None
        for _ in islice(codes, job.read_count - position):
            pass
        some = list(islice(codes, STEP))
        if not some:
            return None
        added = _add(job.voucher_type, some)
        _count(job, added=added, read=len(some))
        return job.read_count + len(some)


def _locked(job_id: int) -> VoucherCodeJob | None:
    """Lock the job and the filling of the program's lists; None if it is over."""
    rows = VoucherCodeJob.objects.select_for_update(of=("self",))
    rows = rows.select_related("voucher_type")
    job = rows.filter(pk=job_id, status__in=_UNFINISHED).first()
    if job is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)",
                [_LOCK, job.voucher_type.program_id],
            )
    return job


_INSERT = (
    "INSERT INTO loyalty_voucher (program_id, voucher_type_id, code, status,"
    " amount_redeemed, locked_for_basket, locking_code, redeemed_for_basket,"
    " redemption_key, created_at)"
    " SELECT %s, %s, c.code, 'available', 0, '', '', '', '', statement_timestamp()"
    " FROM unnest(%s::text[]) WITH ORDINALITY AS c(code, place) ORDER BY c.place"
    " ON CONFLICT DO NOTHING"
)


def _add(voucher_type: VoucherType, codes: list[str]) -> int:
    """Put codes that the program does not have on the list; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [voucher_type.program_id, voucher_type.pk, codes])
        added = int(cursor.rowcount)
    VoucherStock.objects.filter(voucher_type=voucher_type).update(
        codes_left=F("codes_left") + added
    )
    return added


def _count(
    job: VoucherCodeJob, *, added: int, read: int = 0, is_over: bool = False
) -> None:
    changes: dict[str, Any] = {
        "added_count": F("added_count") + added,
        "read_count": F("read_count") + read,
        "duplicate_count": F("duplicate_count") + max(read - added, 0),
        "touched_at": Now(),
        "tries": 0,
    }
    if is_over:
        changes |= {"status": CodeJobStatus.FINISHED, "finished_at": Now()}
    VoucherCodeJob.objects.filter(pk=job.pk).update(**changes)


def _finish(job: VoucherCodeJob) -> None:
    """Mark the job as done; the file is deleted, for its codes are worth money."""
    rows = VoucherCodeJob.objects.filter(pk=job.pk, status__in=_UNFINISHED)
    rows.update(status=CodeJobStatus.FINISHED, finished_at=Now(), file="")
    default_storage.delete(job.file.name or "")


def _fail(job: VoucherCodeJob, error: str) -> None:
    rows = VoucherCodeJob.objects.filter(pk=job.pk, status__in=_UNFINISHED)
    rows.update(status=CodeJobStatus.FAILED, error=error[:500], finished_at=Now())


def _delete_file(job: VoucherCodeJob) -> None:
    """Delete the file of a job that no attempt can help: its codes are worth money."""
    VoucherCodeJob.objects.filter(pk=job.pk).update(file="")
    default_storage.delete(job.file.name or "")
