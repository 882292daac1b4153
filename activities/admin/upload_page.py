"""What a person sees of an upload: its step, what was found, what can be done."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from activities.models import Upload, UploadPhase, UploadRefusal, UploadStatus
from activities.services import uploads
from loyalty.admin.formatting import number, points
from loyalty.models import Wallet

if TYPE_CHECKING:
    from activities.services.uploads import UploadProgress

_SHOWN_MAX = 20
_STEPS = ("Upload", "Check", "Confirm", "Award")
_STEPS_DONE = {
    UploadStatus.UPLOADED: 1,
    UploadStatus.VALIDATING: 1,
    UploadStatus.QUESTIONS: 1,
    UploadStatus.VALIDATED: 2,
    UploadStatus.RUNNING: 3,
    UploadStatus.PAUSED: 3,
    UploadStatus.FINISHED: 4,
    UploadStatus.UNDOING: 4,
    UploadStatus.UNDONE: 4,
}
WORKING = (
    UploadStatus.UPLOADED,
    UploadStatus.VALIDATING,
    UploadStatus.RUNNING,
    UploadStatus.UNDOING,
)
HEADLINES = {
    UploadStatus.UPLOADED: "The file has arrived and waits to be checked",
    UploadStatus.VALIDATING: "The file is being checked",
    UploadStatus.QUESTIONS: "The check has a question. Nothing is awarded yet",
    UploadStatus.VALIDATED: "The file is checked. Nothing is awarded yet",
    UploadStatus.RUNNING: "Points are being awarded",
    UploadStatus.PAUSED: "Paused",
    UploadStatus.FINISHED: "Done. The points are awarded",
    UploadStatus.CANCELLED: "Cancelled",
    UploadStatus.FAILED: "This file cannot be used",
    UploadStatus.UNDOING: "The file is being undone",
    UploadStatus.UNDONE: "Undone. The points of this file are taken back",
}
_PHASES = {
    UploadPhase.READING: "Reading the file",
    UploadPhase.SORTING: "Looking for duplicates",
    UploadPhase.TRYING: "Working out the points, without awarding them",
    UploadPhase.RECORDING: "Awarding points",
    UploadPhase.UNDOING: "Taking points back",
}
_BUCKETS = {
    "base": "Base: what the activities earn by themselves",
    "bonus": "Bonus: campaigns for everybody",
    "targeted": "Targeted: campaigns for segments and tiers",
}
_FIELDS = {"": "the row", "items": "items", "data": "further columns"}


class Step(NamedTuple):
    """One step on the way of a file."""

    name: str
    css: str


class PointsLine(NamedTuple):
    """What one bucket of a wallet would receive."""

    wallet: str
    bucket: str
    awards: int
    points: str


class Tile(NamedTuple):
    """One figure."""

    title: str
    figure: str
    note: str = ""


def steps_of(upload: Upload) -> list[Step]:
    """Return the steps, done or not; none for a file that got stuck."""
    done = _STEPS_DONE.get(UploadStatus(upload.status))
    if done is None:
        return []
    return [
        Step(name, "is-done" if place < done else "is-now" if place == done else "")
        for place, name in enumerate(_STEPS)
    ]


def page_context(upload: Upload) -> dict[str, Any]:
    """Return what the page of an upload shows."""
    wallets = _wallets(upload)
    found: dict[str, Any] = upload.dry_run or {}
    lines = [_points_line(one, wallets) for one in found.get("points", ())]
    refusals = UploadRefusal.objects.filter(upload=upload).order_by("line", "pk")
    shown = list(refusals.defer("raw")[: _SHOWN_MAX + 1])
    return {
        "upload": upload,
        "stage": upload.status,
        "headline": HEADLINES[UploadStatus(upload.status)],
        "steps": steps_of(upload),
        "is_checked": bool(found),
        "is_all_known": new_count(upload) == 0,
        "tiles": _tiles(upload, found) if found else [],
        "points_lines": lines,
        "totals": _totals(found, wallets),
        "largest": _largest(found),
        "usual": _usual(found),
        "found": found,
        "questions": [uploads.asked(one) for one in upload.questions],
        "can_save_reading": bool(upload.sample),
        "elsewhere": list(found.get("elsewhere", {}).items()),
        "first_moment": _moment(found.get("first_moment")),
        "last_moment": _moment(found.get("last_moment")),
        "reasons": [
            (code.replace("_", " "), count)
            for code, count in found.get("refused", {}).items()
        ],
        "refusals": [
            (one.line, _FIELDS.get(one.field, one.field), one.message)
            for one in shown[:_SHOWN_MAX]
        ],
        "has_more_refusals": len(shown) > _SHOWN_MAX,
        "history": list(upload.steps.order_by("pk")),
        **progress_context(upload),
    }


def new_count(upload: Upload) -> int:
    """Return how many activities of a checked file were not recorded before."""
    known: int = (upload.dry_run or {}).get("already_recorded", 0)
    return upload.activity_count - known


def progress_context(upload: Upload) -> dict[str, Any]:
    """Return what the bar shows; two cheap queries."""
    progress = uploads.upload_progress(upload)
    return {
        "progress": progress,
        "is_working": progress.status in WORKING,
        "phase_text": _PHASES.get(UploadPhase(progress.phase), "Waiting for its turn"),
        "unit": "rows" if progress.phase == UploadPhase.READING else "activities",
        "time_left": _time_left(progress),
    }


def total_text(upload: Upload) -> str:
    """Return what a checked file would award, as one phrase."""
    totals = _totals(upload.dry_run or {}, _wallets(upload))
    return " and ".join(f"{text} {name}" for name, text in totals) or "no points"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _wallets(upload: Upload) -> dict[str, tuple[str, int]]:
    rows = Wallet.objects.filter(program=upload.program_id)
    return {one.code: (one.name, one.decimals) for one in rows}


def _points_line(
    one: dict[str, Any], wallets: dict[str, tuple[str, int]]
) -> PointsLine:
    name, decimals = wallets.get(one["wallet"], (one["wallet"], 0))
    bucket = _BUCKETS.get(one["bucket"], one["bucket"])
    return PointsLine(name, bucket, one["awards"], points(one["points"], decimals))


def _totals(
    found: dict[str, Any], wallets: dict[str, tuple[str, int]]
) -> list[tuple[str, str]]:
    sums: dict[str, int] = {}
    for one in found.get("points", ()):
        sums[one["wallet"]] = sums.get(one["wallet"], 0) + one["points"]
    named = ((wallets.get(code, (code, 0)), total) for code, total in sums.items())
    return [(name, points(total, decimals)) for (name, decimals), total in named]


def _largest(found: dict[str, Any]) -> list[dict[str, Any]]:
    usual = found.get("usual")
    high = Decimal(usual["points"]["p99"]) if usual else None
    return [
        {
            **one,
            "points": number(Decimal(one["points"])),
            "value": number(Decimal(one["value"])) if "value" in one else "",
            "is_unusual": high is not None and Decimal(one["points"]) > high,
        }
        for one in found.get("largest", ())
    ]


def _usual(found: dict[str, Any]) -> str:
    """Return what activities usually come to, as a sentence."""
    usual = found.get("usual")
    if not usual:
        return ""
    points, value = (
        {name: number(Decimal(text)) for name, text in usual[measure].items()}
        for measure in ("points", "value")
    )
    return (
        f"Usual in the last {usual['days']} days: {points['median']} points for a "
        f"value of {value['median']} (the median); 99 % earned at most {points['p99']} "
        f"and were worth at most {value['p99']}."
    )


def _tiles(upload: Upload, found: dict[str, Any]) -> list[Tile]:
    earning = f"{found.get('earning', 0):,} of them earn points"
    duplicates = found.get("duplicates", 0)
    known = found.get("already_recorded", 0)
    new = found.get("new_members", 0)
    return [
        Tile("Rows in the file", f"{upload.line_count:,}"),
        Tile("Activities to record", f"{new_count(upload):,}", earning),
        Tile(
            "Members",
            f"{found.get('members', 0):,}",
            f"{new:,} of them new" if new else "",
        ),
        Tile(
            "Refused",
            f"{upload.refused_count:,}",
            "these cannot be recorded" if upload.refused_count else "no bad rows",
        ),
        Tile(
            "Duplicates",
            f"{duplicates + known:,}",
            f"{duplicates:,} twice in the file, {known:,} already recorded"
            if duplicates or known
            else "everything is new",
        ),
    ]


def _time_left(progress: UploadProgress) -> str:
    seconds = progress.seconds_left
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'s' if minutes > 1 else ''} left"
    return f"about {round(minutes / 60)} hours left"
