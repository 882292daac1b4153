"""How people write and read moments: days first, ends as the last day that counts."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTimeWidget,
)

from loyalty.engine.ends import Last, after_last, as_last, last_text

if TYPE_CHECKING:
    from datetime import date

BAD_DATE = "Enter a date as day/month/year, for example 31/12/2026, or as 2026-12-31."
BAD_TIME = "Enter a time of day from 00:00 to 23:59, for example 18:30."
# Ends that people write, with the words for them; underneath they are exclusive.
ENDS = {
    "ends_at": (
        "Last day",
        "The last day (or, with a time, minute) that counts. Empty: no end.",
    ),
    "expires_at": (
        "Valid through",
        (
            "The last day on which a voucher is valid; with a time, the last minute. "
            "With a number of days as well, the earlier counts. Vouchers already given "
            "keep their own date."
        ),
    ),
    "left_at": (
        "Last day in it",
        (
            "The last day that the member belongs to the segment; with a time, the "
            "last minute. Empty: the member stays."
        ),
    ),
}


class MomentField(forms.SplitDateTimeField):
    """A date and a time; a date alone means its midnight.

    What nobody touched stays the instant that is stored, to the microsecond, even
    where its time comes twice because clocks are put back.
    """

    widget = UnfoldAdminSplitDateTimeWidget
    default_error_messages = {"invalid_date": BAD_DATE, "invalid_time": BAD_TIME}

    def _clean_bound_field(self, bound: forms.BoundField) -> Any:
        stored = bound.form.initial.get(bound.name, self.initial)
        if isinstance(stored, datetime) and self._shows(stored, bound.data):
            return stored
        return super()._clean_bound_field(bound)  # type: ignore[misc]

    def _shows(self, stored: datetime, written: Any) -> bool:
        """Return whether what was sent is what the stored instant is shown as."""
        try:
            parts = [
                field.to_python(part)
                for field, part in zip(self.fields, written, strict=True)
            ]
        except ValidationError:
            return False
        day, minute = self.widget.decompress(stored)
        shown = minute and minute.replace(microsecond=0)
        return parts == [day, shown]

    def compress(self, data_list: Any) -> Any:
        """Return the moment, None for no date and no time."""
        if data_list and data_list[0] and data_list[1] in self.empty_values:
            data_list = [data_list[0], time.min]
        return super().compress(data_list)


class LastDayWidget(UnfoldAdminSplitDateTimeWidget):
    """Shows an exclusive end as the last day, with the last minute if within it."""

    # Without its microseconds an end just after midnight would show the day before.
    supports_microseconds = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        """Let the time look optional, as it is."""
        widgets = [
            UnfoldAdminDateWidget(attrs={"placeholder": "Last day"}),
            UnfoldAdminTimeWidget(
                attrs={"placeholder": "All day"},
                format="%H:%M",
            ),
        ]
        forms.MultiWidget.__init__(self, widgets, attrs)

    def decompress(self, value: datetime | None) -> list[Any]:
        """Return the last day and the last minute, None for all of the day."""
        if value is None:
            return [None, None]
        return list(as_last(value, timezone.get_current_timezone()))


class LastDayField(MomentField):
    """The last day, or minute, that counts; the value is the instant after it."""

    widget = LastDayWidget

    def compress(self, data_list: Any) -> Any:
        """Return the first instant after what was written, None for no date."""
        if not data_list or data_list[0] in self.empty_values:
            # A time alone is refused as Django does.
            return super().compress(data_list)
        day: date = data_list[0]
        minute = None if data_list[1] in self.empty_values else data_list[1]
        try:
            return after_last(Last(day, minute), timezone.get_current_timezone())
        except ValueError as reason:
            raise ValidationError(str(reason)) from reason


def last_day(ends_at: datetime | None, *, empty: str = "No end") -> str:
    """Return an exclusive end as people read it, on the program's clock."""
    if ends_at is None:
        return empty
    return last_text(ends_at, timezone.get_current_timezone())
