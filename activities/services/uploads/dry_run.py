"""Trying what a file would award, chunk by chunk, without awarding it."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from activities.models import UnknownMemberPolicy, UploadChunk
from activities.services.commands import Refused
from activities.services.known_keys import count_elsewhere
from activities.services.recording import simulate_activities
from activities.services.uploads import staging
from activities.services.uploads.normalising import Refusal
from activities.services.uploads.payloads import (
    column_in_file,
    command_reader,
    member_of,
    rows_as_in_file,
)
from activities.services.uploads.refusal_store import REFUSALS_KEPT_MAX, keep_refusals
from activities.services.uploads.usual import usual_of
from loyalty.engine.baskets import value_of
from loyalty.engine.numbers import UNITS_PER_ONE, format_value
from loyalty.services.identities import holders_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from activities.models import Upload
    from activities.services.commands import Outcome, RecordActivity
    from activities.services.uploads.payloads import StagedRow
    from loyalty.engine.decisions import Decision
    from loyalty.engine.facts import Budget
    from loyalty.services.jobs import Lease

# More rows of one chunk than this are tried in pieces that do not know what the
# pieces before them would have earned.
TRIED_AT_ONCE = 20_000
_LARGEST = 10


class DryRun:
    """The totals of a dry run, growing chunk by chunk."""

    def __init__(self, upload: Upload, lease: Lease) -> None:
        """Try ``upload`` under ``lease``."""
        self.upload = upload
        self.lease = lease
        self.refused: Counter[str] = Counter()
        self.accepted_count = 0
        self._command_of = command_reader(upload)
        self._may_enrol = upload.unknown_members == UnknownMemberPolicy.CREATE
        self._budgets: dict[int, Budget] = {}
        self._points: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._reasons: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._elsewhere: Counter[str] = Counter()
        self._largest: list[tuple[int, int, str, str, str]] = []
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._kept_count = 0

    def run(self, kept_count: int) -> None:
        """Try every chunk; ``kept_count`` refusals are kept already."""
        self._kept_count = kept_count
        for done, (chunk_id, first_member, last_member) in enumerate(
            self._chunks(), start=1
        ):
            rows = staging.rows_of_chunk(self.upload.pk, first_member, last_member)
            refused = self._try(rows)
            with transaction.atomic():
                self.lease.write(phase_done=done)
                self._take_out(chunk_id, refused)

    def summary(self, refused: Counter[str], duplicate_count: int) -> dict[str, Any]:
        """Return what ``Upload.dry_run`` holds."""
        points = [
            {"wallet": wallet, "bucket": bucket, "points": total, "awards": count}
            for (wallet, bucket), (total, count) in sorted(self._points.items())
        ]
        largest = [
            {
                "key": key,
                "member": member,
                "points": format_value(total),
                "value": value,
                "line": -negative_line,
            }
            for total, negative_line, key, member, value in sorted(
                self._largest, reverse=True
            )
        ]
        return {
            "points": points,
            "earning": self._counts["earning"],
            "not_earning": self._counts["not_earning"],
            "reasons": dict(self._reasons.most_common()),
            "members": self._counts["members"],
            "new_members": self._counts["new_members"],
            "already_recorded": self._counts["already_recorded"],
            "elsewhere": dict(self._elsewhere.most_common()),
            "refused": dict(refused.most_common()),
            "duplicates": duplicate_count,
            "largest": largest,
            "usual": usual_of(self.upload.program_id, self.upload.created_at),
            "first_moment": self._first,
            "last_moment": self._last,
            "is_estimate": bool(self._counts["pieces"]),
        }

    def _chunks(self) -> Iterator[tuple[int, str, str]]:
        number = 0
        chunks = UploadChunk.objects.filter(upload_id=self.upload.pk)
        columns = chunks.values_list("pk", "number", "first_member", "last_member")
        while some := list(columns.filter(number__gt=number).order_by("number")[:1000]):
            for chunk_id, chunk_number, first_member, last_member in some:
                number = chunk_number
                yield chunk_id, first_member, last_member

    def _try(self, rows: list[StagedRow]) -> list[tuple[StagedRow, Refused]]:
        refused = []
        members: set[str] = set()
        for start in range(0, len(rows), TRIED_AT_ONCE):
            self.lease.look()
            piece = rows[start : start + TRIED_AT_ONCE]
            commands = [self._command_of(row) for row in piece]
            self._counts["pieces"] += bool(start)
            fresh: list[str] = []
            for row, command, outcome in zip(
                piece, commands, self._outcomes(commands), strict=True
            ):
                if isinstance(outcome, Refused):
                    refused.append((row, outcome))
                    continue
                members.add(row.member_value)
                self._count(row, command, outcome.decision)
                if outcome.decision is not None:
                    fresh.append(row.key)
            self._elsewhere.update(
                count_elsewhere(self.upload.program_id, self.upload.source, fresh)
            )
        self._counts["members"] += len(members)
        if self._may_enrol and members:
            self._counts["new_members"] += len(members) - self._known_count(members)
        return refused

    def _outcomes(self, commands: list[RecordActivity]) -> list[Outcome]:
        return simulate_activities(
            self.upload.program_id,
            commands,
            now=self.lease.now,
            may_enrol=self._may_enrol,
            budgets=self._budgets,
        )

    def _known_count(self, members: set[str]) -> int:
        kind = self.upload.identity_kind
        found = holders_of(self.upload.program_id, [(kind, one) for one in members])
        return len(found)

    def _count(
        self, row: StagedRow, command: RecordActivity, decision: Decision | None
    ) -> None:
        self.accepted_count += 1
        at = row.occurred_at
        if self._first is None or at < self._first:
            self._first = at
        if self._last is None or at > self._last:
            self._last = at
        if decision is None:
            self._counts["already_recorded"] += 1
            return
        if not decision.awards:
            self._counts["not_earning"] += 1
            self._reasons.update({one.reason.value for one in decision.rejections})
            return
        self._counts["earning"] += 1
        total = 0
        for award in decision.awards:
            offer = award.offer
            sums = self._points[offer.wallet.code, offer.bucket.value]
            sums[0] += award.points
            sums[1] += 1
            # In 1/10,000, because wallets differ in their decimals.
            total += award.points * UNITS_PER_ONE // 10**offer.wallet.decimals
        entry = (
            total,
            -row.line,
            row.key,
            member_of(row),
            _counted_value(command, decision),
        )
        if len(self._largest) < _LARGEST:
            heapq.heappush(self._largest, entry)
        elif entry > self._largest[0]:
            heapq.heapreplace(self._largest, entry)

    def _take_out(
        self, chunk_id: int, refused: list[tuple[StagedRow, Refused]]
    ) -> None:
        """Refuse rows for good, so that the run need not refuse them again."""
        if not refused:
            return
        self.refused.update(outcome.error.code for _, outcome in refused)
        kept = refused[: max(REFUSALS_KEPT_MAX - self._kept_count, 0)]
        keep_refusals(
            self.upload.pk,
            [refusal_of(self.upload, row, outcome) for row, outcome in kept],
        )
        self._kept_count += len(kept)
        staging.delete_rows([row.id for row, _ in refused])
        UploadChunk.objects.filter(pk=chunk_id).update(
            row_count=F("row_count") - len(refused)
        )


def _counted_value(command: RecordActivity, decision: Decision) -> str:
    """Return the value that the rules saw, as decimal text."""
    if decision.converted is not None:
        return format_value(decision.converted.units)
    return format_value(value_of(command.units, command.lines) or 0)


def refusal_of(upload: Upload, row: StagedRow, outcome: Refused) -> Refusal:
    """Return the refusal to keep for a row that recording would not take."""
    error = outcome.error
    raw = rows_as_in_file(upload, row)
    field = column_in_file(upload, error.field)
    return Refusal(row.line, field, error.code, error.message, raw)
