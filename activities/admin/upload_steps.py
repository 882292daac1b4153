"""The steps that people take on an upload: who may, when, and what they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from activities import tasks
from activities.admin.upload_page import new_count, total_text
from activities.models import UnknownMemberPolicy, Upload, UploadStatus
from activities.services import uploads
from loyalty.admin.confirming import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_CHANGE = "activities.change_upload"
_UNDO = "activities.add_activityreversal"
_UNDO_OWN = "activities.undo_own_upload"


class UndoForm(forms.Form):
    """Why a file is undone."""

    reason = forms.CharField(
        max_length=150,
        help_text="It stands beside every point that is taken back, with your name: "
        "“wrong export of 12 May”.",
        widget=UnfoldAdminTextInputWidget,
    )


@dataclass(frozen=True)
class UploadAction:
    """A step: its button, its question, what it does and what is said after it."""

    button: str
    statuses: tuple[UploadStatus, ...]
    permission: str
    question: Callable[[Upload], Question]
    take: Callable[..., None]
    done: str
    is_dangerous: bool = False
    is_quiet: bool = False
    # Asked together with the question; its answers go to ``take`` by name.
    form: type[forms.Form] | None = None
    # Enough for a file that the person uploaded.
    own_permission: str = ""

    def is_allowed(self, upload: Upload, user: Any) -> bool:
        """Return whether ``user`` may take the step on this upload."""
        if user.has_perm(self.permission):
            return True
        is_own = upload.created_by_id is not None and upload.created_by_id == user.pk
        return bool(
            self.own_permission and is_own and user.has_perm(self.own_permission)
        )


def offered_steps(upload: Upload, user: Any) -> Iterator[tuple[str, UploadAction]]:
    """Yield the steps that ``user`` may take on the upload as it stands."""
    for name, step in STEPS.items():
        if upload.status not in step.statuses or not step.is_allowed(upload, user):
            continue
        if name == "confirm" and not new_count(upload):
            continue
        if name == "undo" and not upload.recorded_count:
            continue
        yield name, step


def _confirm(upload: Upload, actor: str, now: datetime) -> None:
    uploads.confirm_upload(upload, actor=actor, now=now)
    tasks.enqueue_run(upload.pk)


def _pause(upload: Upload, actor: str, now: datetime) -> None:
    uploads.pause_upload(upload, actor=actor, now=now)


def _resume(upload: Upload, actor: str, now: datetime) -> None:
    uploads.resume_upload(upload, actor=actor, now=now)
    tasks.enqueue_run(upload.pk)


def _cancel(upload: Upload, actor: str, now: datetime) -> None:
    uploads.cancel_upload(upload, actor=actor, now=now)
    tasks.enqueue_clearing(upload.pk)


def _undo(upload: Upload, actor: str, now: datetime, reason: str) -> None:
    uploads.undo_upload(upload, actor=actor, now=now, reason=reason)
    tasks.enqueue_undo(upload.pk)


def _check_again(upload: Upload, actor: str, now: datetime) -> None:
    uploads.check_again(upload, actor=actor, now=now)
    tasks.enqueue_validation(upload.pk)


def _ask_check_again(upload: Upload) -> Question:
    return Question(
        "Check this file once more?",
        f"“{upload.original_name}” is read again from its start. That helps if the "
        "trouble was not in the file. Nothing is recorded before you confirm it.",
        "Check it again",
    )


def _ask_confirm(upload: Upload) -> Question:
    found = upload.dry_run
    known = found.get("already_recorded", 0)
    activities = f"{new_count(upload):,} activities"
    items = [f"{activities} of {found.get('members', 0):,} members are recorded."]
    if found.get("new_members"):
        items.append(f"{found['new_members']:,} new members are enrolled.")
    left_out = upload.refused_count + upload.duplicate_count + known
    if left_out:
        items.append(f"{left_out:,} refused rows and duplicates are left out.")
    for source, count in found.get("elsewhere", {}).items():
        items.append(
            f"{count:,} of them have a number that exists under source “{source}”: "
            "if they are the same receipts, they are paid twice."
        )
    if upload.same_file_as_id:
        items.append("The very same file was uploaded before.")
    return Question(
        f"Award {total_text(upload)}?",
        f"This is what “{upload.original_name}” earns by today's rules. You can pause "
        "at any time, and have the whole file undone later.",
        "Award the points",
        items,
    )


def _ask_pause(upload: Upload) -> Question:
    return Question(
        "Pause this upload?",
        f"{upload.recorded_count:,} activities are recorded so far and stay recorded. "
        "The rest waits until somebody resumes it.",
        "Pause",
    )


def _ask_resume(upload: Upload) -> Question:
    left = max(upload.phase_total - upload.phase_done, 0)
    return Question(
        "Go on with this upload?",
        f"{left:,} activities are still to be recorded, and earn points.",
        "Go on",
    )


def _ask_cancel(upload: Upload) -> Question:
    if upload.recorded_count:
        text = (
            f"{upload.recorded_count:,} activities are recorded and keep their points; "
            "the rest of the file is dropped. What was recorded can still be undone."
        )
    else:
        text = "The file is dropped. Nothing was recorded and nobody got points."
    return Question("Cancel this upload?", text, "Cancel the upload", is_dangerous=True)


def _ask_undo(upload: Upload) -> Question:
    items = [
        "Limits, budgets and tiers go back too.",
        "What members have spent meanwhile is owed from what they earn next.",
        "Its receipt numbers are free again: the corrected file can be recorded.",
    ]
    if upload.unknown_members == UnknownMemberPolicy.CREATE:
        items.append("Members enrolled by the file remain members.")
    return Question(
        "Take back every point of this file?",
        f"All {upload.recorded_count:,} activities that “{upload.original_name}” "
        "recorded are undone. This cannot be taken back.",
        "Take the points back",
        items,
        is_dangerous=True,
    )


STEPS = {
    "check-again": UploadAction(
        "Check it again…",
        (UploadStatus.FAILED,),
        _CHANGE,
        _ask_check_again,
        _check_again,
        "The file is being checked again.",
        is_quiet=True,
    ),
    "confirm": UploadAction(
        "Award the points…",
        (UploadStatus.VALIDATED,),
        _CHANGE,
        _ask_confirm,
        _confirm,
        "The upload is confirmed; points are being awarded.",
    ),
    "resume": UploadAction(
        "Go on…",
        (UploadStatus.PAUSED,),
        _CHANGE,
        _ask_resume,
        _resume,
        "The upload goes on.",
    ),
    "pause": UploadAction(
        "Pause…",
        (UploadStatus.RUNNING,),
        _CHANGE,
        _ask_pause,
        _pause,
        "The upload is paused.",
        is_quiet=True,
    ),
    "cancel": UploadAction(
        "Cancel this upload…",
        (
            UploadStatus.UPLOADED,
            UploadStatus.VALIDATING,
            UploadStatus.QUESTIONS,
            UploadStatus.VALIDATED,
            UploadStatus.RUNNING,
            UploadStatus.PAUSED,
        ),
        _CHANGE,
        _ask_cancel,
        _cancel,
        "The upload is cancelled.",
        is_quiet=True,
    ),
    "undo": UploadAction(
        "Undo the whole file…",
        (UploadStatus.FINISHED, UploadStatus.PAUSED, UploadStatus.CANCELLED),
        _UNDO,
        _ask_undo,
        _undo,
        "The file is being undone.",
        is_dangerous=True,
        form=UndoForm,
        own_permission=_UNDO_OWN,
    ),
}
