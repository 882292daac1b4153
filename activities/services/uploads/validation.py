"""Checking a file: read it all, stage what is good, try what it would award.

Safe to run again at any time: a check that was cut short starts anew, and a
worker that lost its lease writes nothing more.

``Upload.dry_run`` then holds::

    {"points": [{"wallet": "loyalty", "bucket": "base", "points": 10, "awards": 2}],
     "earning": 2, "not_earning": 1, "reasons": {"cap_reached": 1},
     "members": 2, "new_members": 0, "already_recorded": 0,
     "elsewhere": {"upload": 1}, "refused": {"unknown_member": 1}, "duplicates": 0,
     "largest": [{"key": "A-1", "member": "4711", "points": "8",
                  "value": "8.20", "line": 2}],
     "usual": {"days": 90, "activities": 10000,
               "points": {"median": "12", "p99": "240"},
               "value": {"median": "12.5", "p99": "240"}},
     "first_moment": "2026-01-01T09:00:00+00:00", "last_moment": "...",
     "is_estimate": false}

``points`` count the wallet's smallest unit, but those of ``largest`` are decimal
text, because an activity may earn in several wallets. ``reasons`` counts why
activities that earn nothing do not. ``elsewhere`` counts activities to be recorded
whose key stands under another source. ``is_estimate`` says that a member has too many
rows to be tried in one piece.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
from django.db import transaction

from activities.models import (
    UnknownMemberPolicy,
    Upload,
    UploadPhase,
    UploadStatus,
    UploadStep,
)
from activities.services.uploads import staging
from activities.services.uploads.dry_run import DryRun
from activities.services.uploads.leases import CHECK, begin_phase, kept_alive
from activities.services.uploads.mapping import similar
from activities.services.uploads.mapping.deciding import decide
from activities.services.uploads.mapping.unsure import Unsure
from activities.services.uploads.mapping.values import zone_of
from activities.services.uploads.normalising import NewRow, Normaliser, Refusal
from activities.services.uploads.payloads import column_in_file, keyed
from activities.services.uploads.refusal_store import (
    REFUSALS_KEPT_MAX,
    RawText,
    keep_refusals,
)
from activities.services.uploads.tables import open_table
from campaigns.services.programme import current_programme
from loyalty.engine.programme import types_that_count_values
from loyalty.models import NaiveTimestampPolicy
from loyalty.models.members import identity_rules
from loyalty.services import jobs

if TYPE_CHECKING:
    from datetime import tzinfo

    from activities.services.uploads.groups import Group
    from activities.services.uploads.mapping.deciding import Decision
    from activities.services.uploads.mapping.values import Mapping
    from activities.services.uploads.tables import Table
    from loyalty.models import Program
    from loyalty.services.jobs import Lease

_STAGED_AT_ONCE = 5_000
# Rows and refusals wait in memory until they are so many, or so large.
_BYTES_AT_ONCE = 8 * 1024 * 1024
_STATISTICS_FROM_ROWS = 20_000


def validate_upload(upload: Upload) -> None:
    """Check an upload that waits for it or whose check was cut short.

    Does nothing if the upload is past its check or somebody is on it. A file
    that cannot be used, or whose check ends without a result again and again, ends
    as FAILED with the sentence for people.
    """

    def check(lease: Lease) -> None:
        upload.refresh_from_db()
        _Check(upload, lease).run()

    jobs.attempt(CHECK, upload.pk, check, _fail)


def _fail(lease: Lease, sentence: str) -> None:
    staging.clear_rows(lease.job_id)
    with transaction.atomic():
        lease.write(status=UploadStatus.FAILED.value, failure=sentence, phase="")
        UploadStep.objects.create(
            upload_id=lease.job_id,
            status=UploadStatus.FAILED,
            happened_at=lease.now,
        )


class _Asked(Exception):
    """The check cannot go on before somebody has answered."""

    def __init__(self, questions: list[dict[str, Any]]) -> None:
        super().__init__("The check waits for answers.")
        self.questions = questions


class _Check:
    """One run of the check, under a lease."""

    def __init__(self, upload: Upload, lease: Lease) -> None:
        self.upload = upload
        self.lease = lease
        self.line_count = 0
        self.staged_count = 0
        self.duplicate_count = 0
        self.kept_count = 0
        self.refused: Counter[str] = Counter()
        self._rows: list[NewRow] = []
        self._refusals: list[Refusal] = []
        self._waiting_bytes = 0
        self._raw = RawText()
        self._answers: dict[str, str] = {}

    def run(self) -> None:
        staging.clear_results(self.upload.pk)
        try:
            has_lines = self._read()
            self._sort(has_lines=has_lines)
        except _Asked as asked:
            self._ask(asked.questions)
            return
        dry_run = DryRun(self.upload, self.lease)
        dry_run.run(self.kept_count)
        self._finish(dry_run)

    def _read(self) -> bool:
        """Stage every good row; return whether activities may span lines."""
        with self.upload.file.open("rb") as stream:
            decision = decide(self.upload, stream, self.lease.look)
            self._settle(decision)
            look = self.lease.look
            with open_table(self.upload, stream, look, decision.mapping) as table:
                columns = orjson.dumps(table.columns).decode()
                self.lease.write(columns=columns)
                self.upload.columns = list(table.columns)
                unsure = self._watch(table, decision)
                self._stage(table, unsure, decision.mapping)
                if questions := unsure.questions():
                    raise _Asked(questions)
                return table.has_lines()

    def _settle(self, decision: Decision) -> None:
        """Write down how the file is read, or what must be asked before."""
        upload = self.upload
        if decision.given.identity_kind:
            upload.identity_kind = decision.given.identity_kind
        self._answers = decision.given.answers
        self.lease.write(
            sample=orjson.dumps(upload.sample).decode(),
            mapping=orjson.dumps(upload.mapping).decode(),
            saved_mapping_id=upload.saved_mapping_id,
            identity_kind=upload.identity_kind,
        )
        if decision.question is not None:
            raise _Asked([decision.question])

    def _watch(self, table: Table, decision: Decision) -> Unsure:
        unsure = Unsure(table.layout, decision.given, delimiter=decision.delimiter)
        translator = table.translator
        if translator is not None:
            unsure.columns = {
                name: translator.column_of(name) for name in translator.known
            }
            if not decision.given.decimal_sign:
                translator.on_ambiguous = lambda column, text: unsure.see_mapped(
                    translator.line, column, text
                )
        return unsure

    def _stage(self, table: Table, unsure: Unsure, mapping: Mapping) -> None:
        normaliser = Normaliser(
            table.layout,
            zone_of(mapping) or _zone_of(self.upload.program),
            table.data_of,
            has_default_type=self.upload.default_activity_type_id is not None,
            types_without_value=_types_without_value(self.upload),
            row_at=len(table.layout.columns) - 1 if table.translator else None,
        )
        rules = identity_rules(self.upload.program_id)
        for group in table.groups:
            self.lease.look()
            self.line_count += len(group.rows)
            unsure.see(group)
            found = normaliser.normalise(group)
            if isinstance(found, NewRow):
                self._rows.append(keyed(found, rules, self.upload.identity_kind))
                self._waiting_bytes += len(found.payload)
            else:
                self._refuse(found, group, table)
            if (
                len(self._rows) >= _STAGED_AT_ONCE
                or self._waiting_bytes >= _BYTES_AT_ONCE
            ):
                self._write(table.fraction_read())
        self._write(1.0)

    def _ask(self, questions: list[dict[str, Any]]) -> None:
        """Stop the check until somebody has answered; nothing stays staged."""
        staging.clear_results(self.upload.pk)
        with transaction.atomic():
            self.lease.write(
                status=UploadStatus.QUESTIONS.value,
                questions=orjson.dumps(questions).decode(),
                phase="",
            )
            UploadStep.objects.create(
                upload_id=self.upload.pk,
                status=UploadStatus.QUESTIONS,
                happened_at=self.lease.now,
            )

    def _refuse(
        self, found: tuple[int, str, str, str], group: Group, table: Table
    ) -> None:
        line, field, code, message = found
        if table.translator is not None:
            column = table.translator.column_of(field)
            message = message.replace(f"column {field} ", f"column “{column}” ")
            field = column
        self.refused[code] += 1
        if self.kept_count < REFUSALS_KEPT_MAX:
            self.kept_count += 1
            raw, size = self._raw.kept(table.raw_of(group))
            self._refusals.append(Refusal(line, field, code, message, raw))
            self._waiting_bytes += size
        if self.refused.total() % _STAGED_AT_ONCE == 0:
            self._write(table.fraction_read())

    def _write(self, fraction_read: float) -> None:
        with transaction.atomic():
            self.lease.write(
                line_count=self.line_count,
                refused_count=self.refused.total(),
                phase_done=int(self.upload.size_bytes * fraction_read),
            )
            staging.stage_rows(self.upload.pk, self._rows)
            keep_refusals(self.upload.pk, self._refusals)
        self.staged_count += len(self._rows)
        self._rows.clear()
        self._refusals.clear()
        self._waiting_bytes = 0

    def _sort(self, *, has_lines: bool) -> None:
        begin_phase(self.lease, UploadPhase.SORTING, 0)
        with transaction.atomic():
            # The lease is kept alive from outside this transaction; writing to
            # it before the long statements would lock that out.
            with kept_alive(self.lease):
                if self.staged_count >= _STATISTICS_FROM_ROWS:
                    staging.refresh_statistics()
                self._settle_similar_members()
                self.duplicate_count, torn_count, kept = staging.take_out_duplicates(
                    self.upload,
                    has_lines=has_lines,
                    kept_max=REFUSALS_KEPT_MAX - self.kept_count,
                )
                chunk_count = staging.make_chunks(self.upload.pk)
            keep_refusals(self.upload.pk, kept)
            self.kept_count += len(kept)
            self.refused.update(
                {"lines_not_together": torn_count} if torn_count else {}
            )
            self.lease.write(
                duplicate_count=self.duplicate_count,
                refused_count=self.refused.total(),
            )
            begin_phase(self.lease, UploadPhase.TRYING, chunk_count)

    def _settle_similar_members(self) -> None:
        """Ask about, match or take out members who nearly have somebody's number."""
        answer = self._answers.get("similar_members")
        if self.upload.unknown_members != UnknownMemberPolicy.CREATE:
            answer = answer if answer == "match" else "enrol"
        if answer == "enrol" or not self.staged_count:
            return
        count = similar.find_similar_members(self.upload)
        if count and answer is None:
            column = column_in_file(self.upload, "member")
            raise _Asked([similar.similar_question(self.upload, count, column)])
        if answer == "match":
            similar.match_similar_members(self.upload)
        refused, kept = similar.refuse_similar_members(
            self.upload, REFUSALS_KEPT_MAX - self.kept_count
        )
        if refused:
            self.refused[similar.SimilarMember.code] += refused
            keep_refusals(self.upload.pk, kept)
            self.kept_count += len(kept)

    def _finish(self, dry_run: DryRun) -> None:
        self.refused.update(dry_run.refused)
        summary = dry_run.summary(self.refused, self.duplicate_count)
        with transaction.atomic():
            self.lease.write(
                status=UploadStatus.VALIDATED.value,
                validated_at=self.lease.now,
                phase="",
                # The points of a file may exceed 64 bits, which orjson cannot write.
                dry_run=json.dumps(summary, default=datetime.isoformat),
                refused_count=self.refused.total(),
                activity_count=dry_run.accepted_count,
            )
            UploadStep.objects.create(
                upload_id=self.upload.pk,
                status=UploadStatus.VALIDATED,
                happened_at=self.lease.now,
            )


def _types_without_value(upload: Upload) -> frozenset[str]:
    """Return the codes of types whose rows may leave the value empty; "" the default.

    A value belongs to a type if its own rule, a campaign for this very type or a quest
    counts with it.
    """
    programme = current_programme(upload.program_id)
    valued = types_that_count_values(programme)
    found = {code for code in programme.types if code not in valued}
    default = upload.default_activity_type
    return frozenset(found | ({""} if default and default.code in found else set()))


def _zone_of(program: Program) -> tzinfo | None:
    """Return the zone of moments that name none; None refuses them."""
    if program.naive_timestamp_policy == NaiveTimestampPolicy.REJECT:
        return None
    if program.naive_timestamp_policy == NaiveTimestampPolicy.UTC:
        return ZoneInfo("UTC")
    return ZoneInfo(program.time_zone)
