"""Files of names: members of a segment, products of a list, codes of vouchers.

What a file begins with is shown before it is taken; until it is confirmed it waits.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.storage import default_storage
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from loyalty.services.lists import look_at_list

if TYPE_CHECKING:
    from django.http import HttpRequest

USED_ALREADY = "This file was used already or replaced by another. Upload it again."
_WAITING = "list_file"
_FOLDER = "list-files"
_HEADING = "The first line is a heading"


class NamesFileForm(forms.Form):
    """A file with one name per line."""

    file = forms.FileField(
        help_text="CSV, text or Excel (XLSX): one per line, or the first column. Up to "
        "hundreds of thousands of lines.",
        widget=UnfoldAdminFileFieldWidget,
    )
    has_heading = forms.BooleanField(
        label=_HEADING,
        required=False,
        help_text="Off: the first line counts like every other.",
        widget=UnfoldBooleanSwitchWidget,
    )


class ShownFileForm(forms.Form):
    """Which shown file is confirmed, and whether its first line is a heading."""

    token = forms.CharField(widget=forms.HiddenInput)
    has_heading = NamesFileForm.base_fields["has_heading"]


@dataclass(frozen=True)
class ShownFile:
    """A file that was shown: its name, where it waits and what it is to do."""

    name: str
    path: str
    options: dict[str, Any]


def show_file(
    request: HttpRequest, answers: dict[str, Any], *, purpose: str
) -> tuple[ShownFileForm, list[str]]:
    """Keep a file until it is confirmed; return the form and how the file begins.

    Raises:
        UnreadableList: its first lines cannot be read.
    """
    file = answers["file"]
    look = look_at_list(file.file)
    forget_file(request)
    token = uuid.uuid4().hex
    request.session[_WAITING] = {
        "token": token,
        "purpose": purpose,
        "name": file.name,
        "path": default_storage.save(f"{_FOLDER}/{token}", file),
        "options": {
            name: value
            for name, value in answers.items()
            if name not in ("file", "has_heading")
        },
    }
    has_heading = answers["has_heading"] or look.looks_like_heading
    form = ShownFileForm(initial={"token": token, "has_heading": has_heading})
    lines = [f"Line {place}: {name}" for place, name in enumerate(look.first, start=1)]
    if look.looks_like_heading and lines:
        lines[0] += " (looks like a heading and is left out)"
    return form, lines


def shown_file(request: HttpRequest, *, purpose: str) -> ShownFile | None:
    """Return the file that was shown and is confirmed now; None if there is none."""
    waiting = request.session.get(_WAITING) or {}
    is_it = (
        waiting.get("token") == request.POST.get("token")
        and waiting.get("purpose") == purpose
        and default_storage.exists(waiting.get("path", ""))
    )
    if not is_it:
        return None
    return ShownFile(waiting["name"], waiting["path"], waiting["options"])


def forget_file(request: HttpRequest) -> None:
    """Delete the file that waits, if any."""
    waiting = request.session.pop(_WAITING, None)
    if waiting:
        default_storage.delete(waiting["path"])
