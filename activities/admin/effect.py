"""The page of a campaign's measured effect: numbers, intervals, and a verdict."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSingleDateWidget

from activities.services.effect import (
    assignment_lines,
    groups_of,
    measure_effect,
    said,
    verdict,
)
from loyalty.admin.formatting import number
from loyalty.admin.moments import last_day
from loyalty.engine.ends import Last, after_last
from loyalty.errors import LoyaltyError
from loyalty.services import clock

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from activities.services.effect import Cost, Effect, Measure
    from campaigns.models import Campaign
    from loyalty.admin.bases import ProgramAdmin

_DOWNLOAD = "download"
_NONE = "–"


class PeriodForm(forms.Form):
    """Until when to measure, and what a point costs."""

    until = forms.DateField(
        label="Last day",
        required=False,
        help_text="The last day that counts. Empty: until the campaign ends, or now. "
        "Decide on the day before you look: whoever looks every day finds a difference "
        "by chance.",
        widget=UnfoldAdminSingleDateWidget,
    )
    point_cost = forms.DecimalField(
        label="A point costs",
        required=False,
        min_value=Decimal("0.000001"),
        max_value=Decimal(1_000_000),
        help_text="In money, for example 0.01. Empty: costs in points only.",
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def until_moment(self) -> datetime | None:
        """Return the first instant after the day, in the program's zone."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        return after_last(Last(day), timezone.get_current_timezone())


class Line(NamedTuple):
    """One measure as text, with its interval as parts of the chart, in percent."""

    name: str
    treated: str
    held_out: str
    difference: str
    interval: str
    relative: str
    in_all: str
    zero: float | None
    left: float
    width: float
    point: float
    css: str


class CostLine(NamedTuple):
    """What the campaign gave in one wallet, as text."""

    wallet: str
    points: str
    money: str
    per_visit: str
    money_per_visit: str


def effect_page(
    request: HttpRequest, campaign_admin: ProgramAdmin, campaign: Campaign
) -> HttpResponse | StreamingHttpResponse:
    """Return the page, or the file of who is in which group."""
    asked = {name: request.GET.get(name, "") for name in PeriodForm.base_fields}
    form = PeriodForm(asked)
    context: dict[str, Any] = {
        **campaign_admin.admin_site.each_context(request),
        "title": f"What “{campaign}” changed",
        "form": form,
        "campaign": campaign,
        "back": campaign_admin.address_of("change", campaign.pk),
        "opts": campaign_admin.model._meta,
        "original": campaign,
        "media": campaign_admin.media + form.media,
        "share": None
        if campaign.holdout_percent is None
        else number(campaign.holdout_percent),
    }
    if form.is_valid():
        until, now = form.until_moment(), clock.now()
        try:
            if _DOWNLOAD in request.GET:
                return _file(campaign, until, now)
            effect = measure_effect(
                campaign,
                now=now,
                until=until,
                point_cost=form.cleaned_data["point_cost"],
            )
            context |= _told(effect)
        except LoyaltyError as refusal:
            context["refusal"] = refusal.message
    return TemplateResponse(request, "admin/activities/effect.html", context)


def _file(
    campaign: Campaign, until: datetime | None, now: datetime
) -> StreamingHttpResponse:
    groups = groups_of(campaign, now=now, until=until)
    name = f"campaign-{campaign.pk}-groups.csv"
    return StreamingHttpResponse(
        assignment_lines(groups),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _told(effect: Effect) -> dict[str, Any]:
    return {
        "effect": effect,
        "through": last_day(effect.period.end),
        "verdict": verdict(effect),
        "lines": [_line(one) for one in effect.measures],
        "costs": [_cost_line(one) for one in effect.costs],
        "has_money": any(one.money is not None for one in effect.costs),
    }


def _line(measure: Measure) -> Line:
    found = measure.comparison
    low, high = found.low, found.high
    interval = in_all = _NONE
    bar: tuple[float | None, float, float, float] = (None, 0.0, 0.0, 0.0)
    if low is not None and high is not None:
        interval = f"{_signed(low)} to {_signed(high)}"
        totals = [measure.in_all(one) for one in (found.difference, low, high)]
        in_all = "{} ({} to {})".format(*(_signed(one, 0) for one in totals))
        bar = _placed(low, high, found.difference)
    name = measure.name.capitalize() if measure.wallet is None else str(measure.wallet)
    return Line(
        f"{name} per member",
        said(measure.treated.mean),
        said(measure.held_out.mean),
        _signed(found.difference),
        interval,
        _NONE if found.relative is None else _signed(found.relative * 100, 1) + " %",
        in_all,
        *bar,
        css="is-sure" if found.is_significant else "is-unsure",
    )


def _placed(
    low: float, high: float, difference: float
) -> tuple[float, float, float, float]:
    """Return zero, start, width and middle of the interval in percent of the chart."""
    first, last = min(low, 0.0), max(high, 0.0)
    room = (last - first) * 0.08
    first, last = first - room, last + room

    def at(value: float) -> float:
        return round(100 * (value - first) / (last - first), 2)

    return at(0.0), at(low), round(at(high) - at(low), 2), at(difference)


def _cost_line(cost: Cost) -> CostLine:
    return CostLine(
        str(cost.wallet),
        number(cost.points),
        _NONE if cost.money is None else f"{cost.money:,.2f}",
        _NONE if cost.per_visit is None else said(cost.per_visit),
        _NONE if cost.money_per_visit is None else f"{cost.money_per_visit:,.2f}",
    )


def _signed(value: float, decimals: int | None = None) -> str:
    text = said(abs(value)) if decimals is None else f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return f"{'+' if value > 0 else '−'}{text}"
