"""The form that asks for a backtest: which campaigns, over which days, at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSingleDateWidget,
)

from activities.models import BacktestDates
from activities.services.backtesting import NewBacktest, Span, recorded_span
from campaigns.models import Campaign
from loyalty.engine.periods import start_of_day

if TYPE_CHECKING:
    from loyalty.models import Program

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """Local days, both inside."""

    first: date
    last: date

    def __str__(self) -> str:
        """Return the days for people."""
        first, last = self.first, self.last
        return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"


class BacktestForm(forms.Form):
    """What is to be tried, on which past activities."""

    campaigns = forms.ModelMultipleChoiceField(
        Campaign.objects.none(),
        label="Campaigns to test",
        required=False,
        help_text="Drafts count as if they were enabled. Everything else stays as it "
        "is. Without any campaign the configuration is tried as it stands now.",
        widget=UnfoldAdminSelect2MultipleWidget,
    )
    first = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(
        label="To",
        help_text="The last day that counts.",
        widget=UnfoldAdminSingleDateWidget,
    )
    dates = forms.ChoiceField(
        choices=BacktestDates.choices,
        label="Dates of the campaigns",
        initial=BacktestDates.PERIOD,
        help_text="Campaigns that start next month never ran in the past: let them "
        "have run all of the period to see what they would have cost.",
        widget=UnfoldAdminRadioSelectWidget,
    )
    cost_per_point = forms.DecimalField(
        label="What one point costs",
        required=False,
        min_value=0,
        max_value=100_000,
        max_digits=11,
        decimal_places=6,
        help_text="In your money, for example 0.01. Empty: points only.",
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        """Offer the campaigns of ``program``; propose the last full month."""
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        rows = Campaign.objects.filter(program=program).order_by("is_enabled", "name")
        fields["campaigns"].queryset = rows
        self.history: Days | None = history_of(program)
        if self.history is not None:
            month = last_full_month(self.history, timezone.localdate())
            self.initial.setdefault("first", month.first)
            self.initial.setdefault("last", month.last)

    def clean_last(self) -> date:
        """Refuse days in the wrong order."""
        first, last = self.cleaned_data.get("first"), self.cleaned_data["last"]
        if first and last < first:
            raise forms.ValidationError("The last day comes before the first.")
        chosen: date = last
        return chosen


def wanted_by(form: BacktestForm, user: Any) -> NewBacktest:
    """Return what a valid form asks for."""
    found = form.cleaned_data
    zone = timezone.get_current_timezone()
    return NewBacktest(
        Span(
            start_of_day(found["first"], zone),
            start_of_day(found["last"] + _ONE_DAY, zone),
        ),
        [one.pk for one in found["campaigns"]],
        found["dates"],
        found["cost_per_point"],
        created_by=user,
        actor=user.get_username(),
    )


def history_of(program: Program) -> Days | None:
    """Return the days from the first activity to the last; None without any."""
    span = recorded_span(program)
    if span is None:
        return None
    zone = timezone.get_current_timezone()
    first, last = (moment.astimezone(zone).date() for moment in span)
    return Days(first, last)


def last_full_month(history: Days, today: date) -> Days:
    """Return the last calendar month before ``today`` in which something happened.

    The whole history where it is younger than a month.
    """
    end = min(today.replace(day=1), (history.last + _ONE_DAY).replace(day=1))
    last = end - _ONE_DAY
    if last < history.first:
        return history
    return Days(max(last.replace(day=1), history.first), last)
