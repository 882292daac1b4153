"""The report on a campaign: on its page, and before it is enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib import messages
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from campaigns.models import RewardMethod
from campaigns.services.readiness import readiness_of
from loyalty.admin.confirming import ask, is_confirmed
from loyalty.admin.offers import SwitchedAdmin, switch_question
from loyalty.engine.readiness import Severity
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from campaigns.models import Campaign
    from loyalty.engine.readiness import Finding, Report

_VARIANTS = {
    Severity.STOP: ("danger", "Stops you"),
    Severity.LOOK: ("warning", "Look at this"),
    Severity.KNOW: ("default", "For your information"),
}
_METHODS = "methods"
_COST = "cost_per_point"
_NOT_READY = ("danger", "Not ready")
_ALMOST = ("warning", "Look first")
_READY = ("success", "Ready")


class Shown(NamedTuple):
    """A finding as a line of the page; ``tab`` is where its field stands."""

    variant: str
    word: str
    text: str
    field: str
    tab: str


class ReadinessAdmin(SwitchedAdmin):
    """Campaigns, which are looked at before they are enabled."""

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,  # noqa: FBT001 Django passes it so
    ) -> None:
        """Leave the switch off if what was saved cannot work: nobody asked yet."""
        super().save_related(request, form, formsets, change)
        campaign: Campaign = form.instance
        if not campaign.is_enabled or not form.turns_on:
            return
        report = readiness_of(campaign, now=clock.now(), is_committed=False)
        stops = [one.text for one in report.findings if one.severity is Severity.STOP]
        if not stops:
            return
        campaign.is_enabled = False
        campaign.save(update_fields=["is_enabled"])
        self.message_user(
            request,
            format_html(
                "Saved, but not enabled, because it cannot work as it is: {} Mend it, "
                'or press <a class="loyalty-link" href="{}">Enable</a> to enable it '
                "all the same.",
                " ".join(stops),
                self.address_of("switch_on", campaign.pk),
            ),
            messages.ERROR,
        )

    def readiness_context(self, request: HttpRequest, campaign: Campaign) -> Any:
        """Return what the page of a campaign shows of its report."""
        cost = _cost_asked(request, campaign)
        report = readiness_of(
            campaign, now=clock.now(), cost_per_point=cost.cleaned_data.get(_COST)
        )
        tabs = self._tabs(request, campaign)
        return {
            "verdict": _verdict([report]),
            "findings": [
                _shown(one, tabs)
                if one.offer_id in {None, campaign.pk}
                else _shown(one._replace(field=_METHODS), tabs)
                for one in report.findings
            ],
            "figures": [one.text for one in report.figures],
            "cost": cost,
            "was_asked": _COST in request.GET,
        }

    def _tabs(self, request: HttpRequest, campaign: Campaign) -> dict[str, str]:
        """Return the tab of each field; reward methods have one of their own."""
        methods = str(RewardMethod._meta.verbose_name_plural)
        return {_METHODS: methods.capitalize()} | {
            field: str(name)
            for name, options in self.get_fieldsets(request, campaign)
            for field in _flat(options["fields"])
        }

    def _switch(
        self, request: HttpRequest, queryset: QuerySet, *, to: bool
    ) -> HttpResponse | None:
        rows = list(queryset.filter(is_enabled=False)) if to else []
        if rows:
            asked = self._asked_to_enable(request, rows)
            if asked is not None:
                return asked
        return super()._switch(request, queryset, to=to)

    def _asked_to_enable(
        self, request: HttpRequest, rows: list[Campaign]
    ) -> HttpResponse | None:
        """Return the page that shows the reports and asks, until it is answered."""
        now = clock.now()
        reports = [(row, readiness_of(row, now=now)) for row in rows]
        form = None
        if any(report.stops for _, report in reports):
            form = AnywayForm(request.POST if is_confirmed(request) else None)
        if is_confirmed(request) and (form is None or form.is_valid()):
            return None
        match = request.resolver_match
        is_one = match is not None and "object_id" in match.kwargs
        back = self.address_of("change", rows[0].pk) if is_one else request.path
        question = switch_question(rows, to=True)
        page = ask(
            request,
            self,
            question,
            form=form,
            back=back,
            obj=rows[0] if is_one else None,
        )
        page.template_name = "admin/campaigns/enable.html"
        page.context_data = {
            **(page.context_data or {}),
            "verdict": _verdict([report for _, report in reports]),
            "reports": [
                {
                    "campaign": row if len(rows) > 1 else None,
                    "findings": [_shown(one, {}) for one in report.findings],
                    "figures": [one.text for one in report.figures],
                }
                for row, report in reports
            ],
        }
        return page


class AnywayForm(forms.Form):
    """That something is to be enabled although the report speaks against it."""

    anyway = forms.BooleanField(
        label="Enable it all the same",
        help_text="The report says that it cannot work as it is.",
        error_messages={"required": "Tick this to enable it all the same."},
        widget=UnfoldBooleanSwitchWidget,
    )


class CostForm(forms.Form):
    """What a point costs, to see the figures in money."""

    cost_per_point = forms.DecimalField(
        label="What a point costs you",
        min_value=0,
        max_digits=18,
        decimal_places=6,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "0.01"}),
    )


def _cost_asked(request: HttpRequest, campaign: Campaign) -> CostForm:
    """Return the cost that was just given, or the one this person gave last.

    It is remembered by wallet until the person leaves.
    """
    key = f"{_COST}_{campaign.wallet_id}"
    text = request.GET.get(_COST, request.session.get(key, ""))
    form = CostForm({_COST: text})
    if form.is_valid() and _COST in request.GET:
        request.session[key] = text
    return form


def _verdict(reports: list[Report]) -> tuple[str, str]:
    severities = {one.severity for report in reports for one in report.findings}
    if Severity.STOP in severities:
        return _NOT_READY
    return _ALMOST if Severity.LOOK in severities else _READY


def _shown(finding: Finding, tabs: dict[str, str]) -> Shown:
    variant, word = _VARIANTS[finding.severity]
    tab = tabs.get(finding.field, "")
    return Shown(variant, word, finding.text, finding.field, tab)


def _flat(fields: Any) -> list[str]:
    """Return the names of a fieldset, whose lines may hold several."""
    found: list[str] = []
    for one in fields:
        found += [one] if isinstance(one, str) else list(one)
    return found
