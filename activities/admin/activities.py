"""Read-only pages of activities, each with its explanation, and their undoing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.utils import timezone
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    FieldTextFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from activities.admin.explanation import explain, item_lines
from activities.admin.values import NO_VALUE, ValueFilter, lacks_value
from activities.models import Activity, ActivityReversal, Interaction
from activities.services import reverse_activities
from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin, of_member_called
from loyalty.admin.changelist import RowsList
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.filters import DaysFilter
from loyalty.admin.formatting import link, money, name_of, page_of, points
from loyalty.admin.working_program import working_program
from loyalty.models import Wallet
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


class ReversalForm(forms.Form):
    """Why an activity is undone."""

    reason = forms.CharField(
        max_length=200,
        help_text="Support reads it later, for example “returned goods, receipt 4711”.",
        widget=UnfoldAdminTextInputWidget,
    )


class ActivityChangeList(RowsList):
    """The list; its rows know how many decimals each wallet has."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask once for the whole page."""
        super().get_results(request)
        program = working_program(request)
        decimals = decimals_of(program.pk) if program else {}
        for activity in self.result_list:
            activity.wallet_decimals = decimals


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    """What members did and what it earned."""

    list_display = (
        "occurred_at",
        "who",
        "activity_type",
        "worth",
        "earned",
        "channel",
        "business_unit",
        "state",
    )
    list_filter = (
        ("activity_type", OwnProgramFilter),
        ("channel", OwnProgramFilter),
        ("business_unit", OwnProgramFilter),
        ("source", FieldTextFilter),
        ("occurred_at", DaysFilter),
        ValueFilter,
        "is_late",
        ("member", AutocompleteSelectFilter),
        ("upload", OwnProgramFilter),
    )
    search_fields = ("key__exact",)
    search_help_text = (
        "A whole customer number or other identity, or an activity's key."
    )
    list_select_related = (
        "member",
        "anonymous_profile",
        "activity_type",
        "channel",
        "business_unit",
        "reversal",
        "late_decision__merge",
        "upload",
    )
    actions_detail = ("reverse_activity",)
    change_form_outer_before_template = "admin/activities/explanation.html"
    fields = (
        "occurred_at",
        "occurred_as_written",
        "received_at",
        "created_at",
        "late",
        "who",
        "seen_as",
        "activity_type",
        "worth",
        "channel",
        "business_unit",
        "source",
        "key",
        "upload",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowsList]:
        return ActivityChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Find activities by a member's whole identity, or by their own key."""
        term = search_term.strip()
        if not term:
            return queryset, False
        of_member = of_member_called(request, queryset, "member", term)
        rows = of_member if of_member.exists() else queryset.filter(key=term)
        return rows, False

    def has_reverse_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may take points back."""
        return request.user.has_perm("activities.add_activityreversal")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer nothing for what was undone already."""
        if ActivityReversal.objects.filter(activity=object_id).exists():
            return []
        return super().get_actions_detail(request, object_id)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the explanation."""
        extra = dict(extra_context or {})
        rows = self.get_queryset(request).select_related(*self.list_select_related)
        activity = rows.filter(pk=object_id).first() if object_id else None
        if activity is None and object_id and object_id.isdigit():
            # Numbered alike: what points of an interaction name is one of these.
            interaction = Interaction.objects.filter(pk=object_id).first()
            if interaction is not None:
                return HttpResponseRedirect(page_of(interaction))
        if activity is not None:
            extra |= {
                "activity": activity,
                "items": item_lines(activity),
                "explanation": explain(activity, timezone.get_current_timezone()),
                "reversal": getattr(activity, "reversal", None),
                "late_decision": getattr(activity, "late_decision", None),
                "raw": {
                    "Line items": _pretty(activity.items),
                    "Free data": _pretty(activity.data),
                    "Decision record": _pretty(activity.latest_decision()),
                },
            }
        return super().changeform_view(request, object_id, form_url, extra)

    @display(description="Member")
    def who(self, activity: Activity) -> SafeString | str:
        """Return who did it, linked."""
        if activity.member is None:
            return f"Not known yet ({activity.anonymous_profile})"
        return link(activity.member, name_of(activity.member))

    @display(description="Anonymous id")
    def seen_as(self, activity: Activity) -> SafeString | str:
        """Return the anonymous profile it came with, linked."""
        profile = activity.anonymous_profile
        return "–" if profile is None else link(profile, str(profile))

    @display(description="Value", ordering="value")
    def worth(self, activity: Activity) -> str:
        """Return the value."""
        if lacks_value(activity):
            return "None came, though the type pays by value"
        if activity.value is None:
            return "–"
        told = f"{money(activity.value)} {activity.currency}".rstrip()
        if activity.counted_value is None:
            return told
        return f"{told} (counted as {money(activity.counted_value)})"

    @display(description="Points")
    def earned(self, activity: Activity) -> str:
        """Return what it earned; one number for each wallet."""
        sums: dict[str, int] = {}
        for award in activity.latest_decision().get("awards", []):
            sums[award["wallet"]] = sums.get(award["wallet"], 0) + award["points"]
        if not sums:
            return "0"
        known: dict[str, int] | None = getattr(activity, "wallet_decimals", None)
        decimals = decimals_of(activity.program_id) if known is None else known
        return ", ".join(
            points(amount, decimals.get(code, 0)) for code, amount in sums.items()
        )

    @display(description="As the caller wrote it")
    def occurred_as_written(self, activity: Activity) -> str:
        """Return the moment's own text, and whether its zone was assumed."""
        text = activity.occurred_at_text or "–"
        return f"{text} (no time zone given)" if activity.zone_assumed else text

    @display(description="Late")
    def late(self, activity: Activity) -> str:
        """Return whether it arrived after the program's limit."""
        if not activity.is_late:
            return "No"
        return "Yes: it arrived after the program's limit. It earned the same points."

    @display(
        description="State",
        label={"Reversed": "danger", NO_VALUE: "warning", "Late": "warning"},
    )
    def state(self, activity: Activity) -> str | None:
        """Return what is unusual about it."""
        if getattr(activity, "reversal", None) is not None:
            return "Reversed"
        if lacks_value(activity):
            return NO_VALUE
        return "Late" if activity.is_late else None

    @action(
        description="Reverse activity",
        permissions=["reverse"],
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def reverse_activity(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what the activity earned, once."""
        activity = self.row_or_404(request, object_id)
        form = ReversalForm(request.POST if is_confirmed(request) else None)
        if not (is_confirmed(request) and form.is_valid()):
            question = Question(
                "Reverse this activity?",
                f"It earned {self.earned(activity)} points. They are taken back from "
                "the member; caps, budgets and the tier go back too. This cannot be "
                "undone.",
                "Take the points back",
                is_dangerous=True,
            )
            back = self.address_of("change", activity.pk)
            return ask(request, self, question, form=form, back=back, obj=activity)
        undone = reverse_activities(
            activity.program_id,
            [activity.pk],
            now=clock.now(),
            reason=form.cleaned_data["reason"],
            actor=request.user.get_username(),
        )
        if undone:
            self.message_of(request, "The activity is reversed.")
        else:
            text = "It was reversed before; nothing more was taken back."
            self.message_user(request, text, messages.WARNING)
        return self.back_to(activity)


@admin.register(ActivityReversal)
class ActivityReversalAdmin(ReadOnlyAdmin):
    """Activities undone: by whom and why."""

    program_path = "activity__program"
    list_display = ("created_at", "activity", "reason", "actor")
    list_filter = (("created_at", DaysFilter),)
    search_fields = ("activity__key__exact", "actor")
    list_select_related = ("activity",)
    fields = ("activity", "created_at", "occurred_at", "reason", "actor")
    readonly_fields = fields


def decimals_of(program_id: int) -> dict[str, int]:
    """Return the decimals of the program's wallets, by code."""
    rows = Wallet.objects.filter(program=program_id)
    return dict(rows.values_list("code", "decimals"))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
