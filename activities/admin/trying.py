"""“Try it out”: what one activity would earn, with drafts as if they were live."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from activities.admin.explanation import explain
from activities.models import Activity
from activities.services import Line, RecordActivity, simulate_activity
from activities.services.records import record_of
from campaigns.models import BASKETLESS, Campaign
from loyalty.admin.formatting import name_of
from loyalty.admin.moments import MomentField
from loyalty.admin.working_program import working_program
from loyalty.engine.baskets import value_of
from loyalty.engine.numbers import InvalidNumber, parse_value
from loyalty.errors import LoyaltyError
from loyalty.models import ActivityType, BusinessUnit, Channel, Member
from loyalty.services import clock
from loyalty.services.identities import identities_called

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from unfold.admin import ModelAdmin

    from loyalty.models import Program

_LINES_MAX = 100
# Nobody has an identity of this kind: whoever comes with it is new.
_SOMEBODY_NEW = "try-it-out"
_FIELDS = {
    "activity_type": "type",
    "channel": "channel",
    "business_unit": "unit",
    "member": "member",
    "occurred_at": "occurred_at",
    "value": "value",
    "with_campaigns": "campaigns",
}


class TryForm(forms.Form):
    """One activity that a member might do, and which drafts to try."""

    campaigns = forms.ModelMultipleChoiceField(
        Campaign.objects.none(),
        label="Drafts to try",
        required=False,
        help_text="They count as enabled, here and nowhere else. Campaigns that are "
        "live count anyway.",
        widget=UnfoldAdminSelect2MultipleWidget,
    )
    member = forms.CharField(
        required=False,
        max_length=255,
        help_text="Any identity of the member, such as the customer number. Empty: "
        "somebody who has just joined.",
        widget=UnfoldAdminTextInputWidget,
    )
    type = forms.ModelChoiceField(
        ActivityType.objects.none(),
        label="What the member does",
        empty_label=None,
        widget=UnfoldAdminSelect2Widget,
    )
    channel = forms.ModelChoiceField(
        Channel.objects.none(),
        label="Where",
        required=False,
        empty_label="No channel",
        widget=UnfoldAdminSelect2Widget,
    )
    unit = forms.ModelChoiceField(
        BusinessUnit.objects.none(),
        label="Business unit",
        required=False,
        empty_label="None: offers of every unit count",
        widget=UnfoldAdminSelect2Widget,
    )
    occurred_at = MomentField(label="When", widget=UnfoldAdminSplitDateTimeWidget)
    value = forms.DecimalField(
        label="Value",
        required=False,
        max_digits=14,
        decimal_places=4,
        help_text="What it is worth, for example paid. Empty: what the products add "
        "up to.",
        widget=UnfoldAdminDecimalFieldWidget,
    )
    items = forms.CharField(
        label="Products",
        required=False,
        help_text="One on each line: the product's number, its value and, if it is "
        "more than one, how many. Like “4006381333931 3.20 2”.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        """Offer rows of ``program`` only."""
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        zone = timezone.get_current_timezone_name()
        fields["occurred_at"].help_text = (
            "It may lie ahead, for a campaign that has not started: its dates count. "
            f"Time zone: {zone}."
        )
        for name, model in (
            ("type", ActivityType),
            ("channel", Channel),
            ("unit", BusinessUnit),
        ):
            fields[name].queryset = model.objects.filter(program=program).order_by(
                "name"
            )
        fields["campaigns"].queryset = tried_campaigns(program)
        self.program = program

    def clean_member(self) -> Member | None:
        """Return the member with this identity, None for somebody new."""
        value = str(self.cleaned_data["member"]).strip()
        if not value:
            return None
        found = identities_called(self.program.pk, value).select_related("member")
        # The exact spelling goes before one that means the same.
        named = sorted(found, key=lambda one: (one.value != value, one.pk))
        if not named:
            raise forms.ValidationError("Nobody has this identity.")
        return named[0].member

    def clean_items(self) -> tuple[Line, ...]:
        """Return the line items."""
        rows = str(self.cleaned_data["items"]).split("\n")
        filled = [row.split() for row in rows if row.strip()]
        if len(filled) > _LINES_MAX:
            raise forms.ValidationError(f"At most {_LINES_MAX} products.")
        return tuple(_line(parts) for parts in filled)

    def command(self) -> RecordActivity:
        """Return the activity that the form describes."""
        found = self.cleaned_data
        moment, lines = found["occurred_at"], found["items"]
        member = found["member"]
        value = found["value"]
        units = None if value is None else int(Decimal(value) * 10_000)
        key = uuid.uuid4().hex
        return RecordActivity(
            source="api",
            key=key,
            activity_type=found["type"].code,
            occurred_at=moment,
            occurred_at_text="",
            received_at=moment,
            member=None if member else (_SOMEBODY_NEW, key),
            member_id=member.pk if member else None,
            channel=found["channel"].code if found["channel"] else None,
            business_unit=found["unit"].code if found["unit"] else None,
            units=units,
            lines=lines,
        )


def tried_campaigns(program: Program) -> Any:
    """Return the campaigns that activities could set off and that are not enabled."""
    return (
        Campaign.objects.filter(program=program)
        .exclude(context__in=BASKETLESS)
        .order_by("is_enabled", "name")
    )


def try_page(request: HttpRequest, model_admin: ModelAdmin) -> HttpResponse:
    """Show the form and, once it is filled in, what the activity would earn.

    The answer is in the address: it can be kept and opened again.
    """
    program = working_program(request)
    if program is None or not request.user.has_perm("campaigns.view_campaign"):
        raise PermissionDenied
    is_asked = "type" in request.GET
    form = TryForm(
        request.GET if is_asked else None, program=program, initial=_initial(request)
    )
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Try it out",
        "opts": model_admin.model._meta,
        "program": program,
        "form": form,
        "has_types": ActivityType.objects.filter(program=program).exists(),
        "media": model_admin.media + form.media,
    }
    if is_asked and form.is_valid():
        context |= _outcome(form, program)
    return TemplateResponse(request, "admin/activities/try.html", context)


def _initial(request: HttpRequest) -> dict[str, Any]:
    return {
        "occurred_at": clock.now(),
        "campaigns": [one for one in request.GET.getlist("campaigns") if one.isdigit()],
    }


def _outcome(form: TryForm, program: Program) -> dict[str, Any]:
    """Return what the page shows of a decision; a refusal stands beside its field."""
    tried = list(form.cleaned_data["campaigns"])
    command = form.command()
    try:
        found = simulate_activity(
            program.pk,
            command,
            now=clock.now(),
            with_campaigns=[one.pk for one in tried],
            may_enrol=True,
        )
    except LoyaltyError as refusal:
        form.add_error(_FIELDS.get(refusal.field or ""), refusal.message)
        return {}
    shown = Activity(
        program=program,
        value=Decimal(value_of(command.units, command.lines) or 0).scaleb(-4),
        decision=record_of(found.decision, found.programme),
    )
    marks = {one.pk: "live" if one.is_enabled else "draft" for one in tried}
    member = form.cleaned_data["member"]
    return {
        "explanation": explain(shown, timezone.get_current_timezone(), marks),
        "member_name": f"member {name_of(member)}" if member else "somebody new",
        "moment": command.occurred_at,
        "tried": tried,
    }


def _line(parts: list[str]) -> Line:
    try:
        units = parse_value(parts[1]) if len(parts) > 1 else 0
        quantity = str(int(parts[2])) if len(parts) > 2 else ""
    except (InvalidNumber, ValueError):
        raise forms.ValidationError(
            f"“{' '.join(parts)[:100]}” is not a product, its value and a whole number."
        ) from None
    return Line(parts[0][:100], units, quantity)
