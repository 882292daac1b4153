"""Filters of lists that read what people write, or say that they cannot."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import FieldListFilter
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import DateTimeField
from django.utils import timezone
from unfold.contrib.filters.forms import RangeDateForm
from unfold.widgets import INPUT_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.forms.utils import ErrorDict
    from django.http import HttpRequest

_FIRST, _LAST = date(1900, 1, 1), date(9998, 12, 31)
_UNREADABLE = (
    "“%s” is not a valid date. Choose a day from the calendar, or write it like "
    "25/12/2026 or 2026-12-25."
)
_OUT_OF_RANGE = "The date must lie between the years 1900 and 9998."


class DaysForm(forms.Form):
    """The first and the last day of a range; both may be left empty."""

    # The scripts of the calendar beside each box.
    Media = RangeDateForm.Media

    def __init__(self, name: str, title: str, *args: Any, **kwargs: Any) -> None:
        """Make both boxes, named for what they narrow."""
        super().__init__(*args, **kwargs)
        self.first, self.last = f"{name}_from", f"{name}_to"
        self.fields[self.first] = _day_field(f"{title}: first day", "From (inclusive)")
        self.fields[self.last] = _day_field(f"{title}: last day", "To (inclusive)")

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it starts."""
        days = super().clean() or {}
        first, last = days.get(self.first), days.get(self.last)
        if first and last and first > last:
            self.add_error(self.last, "The last day must not be before the first day.")
        return days

    def days(self) -> tuple[date | None, date | None]:
        """Return the first day and the day after the last; None: open."""
        last = self.cleaned_data[self.last]
        after = None if last is None else last + timedelta(days=1)
        return self.cleaned_data[self.first], after


def start_of(day: date) -> datetime:
    """Return a day's first instant in the zone of the program worked in.

    Where clocks skip midnight this is the instant at which they skip, and where
    midnight comes twice the first.
    """
    return datetime.combine(day, time.min, timezone.get_current_timezone())


class DaysFilter(FieldListFilter):
    """Rows of whole days, the first and the last included, in the program's zone.

    Reads whatever its calendar writes. What it cannot read it names in a message,
    and no row is shown: a list must never look filtered when it is not.
    """

    template = "unfold/filters/filters_date_range.html"
    form_class = DaysForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the two days out of the address."""
        super().__init__(*args, **kwargs)
        self.form = self.form_class(
            self.field_path,
            str(self.title).capitalize(),
            {name: _last_of(self.used_parameters.get(name)) for name in self.names},
        )
        self.is_refused = False

    @property
    def names(self) -> list[str]:
        """Return the names of both parameters."""
        return [f"{self.field_path}_from", f"{self.field_path}_to"]

    def expected_parameters(self) -> list[str | None]:
        """Return the names of both parameters."""
        return list(self.names)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the rows of these days; none, with a message, if one is unreadable."""
        if not self.form.is_valid():
            self._refuse(request, self.form.errors)
            return queryset.none()
        first, after = self.form.days()
        lookups: dict[str, date] = {}
        if first is not None:
            lookups["gte"] = self._start_of(first)
        if after is not None:
            lookups["lt"] = self._start_of(after)
        return queryset.filter(
            **{f"{self.field_path}__{how}": day for how, day in lookups.items()}
        )

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Return the form, with what was wrong beside each box."""
        yield {"form": self.form}

    def has_output(self) -> bool:
        """Always shown."""
        return True

    def _start_of(self, day: date) -> date:
        if not isinstance(self.field, DateTimeField):
            return day
        return start_of(day)

    def _refuse(self, request: HttpRequest, errors: ErrorDict) -> None:
        if self.is_refused:
            return
        self.is_refused = True
        for sentences in errors.values():
            for sentence in sentences:
                messages.error(
                    request,
                    f"Filter “{self.title}”: {sentence} No rows are shown until it "
                    "is corrected.",
                )


class _DayField(forms.DateField):
    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            raise forms.ValidationError(_UNREADABLE % str(value)[:40]) from error


def _day_field(label: str, placeholder: str) -> forms.DateField:
    return _DayField(
        label=label,
        required=False,
        validators=[
            MinValueValidator(_FIRST, _OUT_OF_RANGE),
            MaxValueValidator(_LAST, _OUT_OF_RANGE),
        ],
        widget=forms.DateInput(
            attrs={
                "placeholder": placeholder,
                "aria-label": label,
                "autocomplete": "off",
                "class": "vCustomDateField " + " ".join(INPUT_CLASSES),
            }
        ),
    )


def _last_of(value: Any) -> str:
    """Return a parameter's text; the last if it came several times."""
    text = value[-1] if isinstance(value, list) else value
    return str(text or "").strip()
