"""Pages of campaigns: the form that marketing works in all day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Case, When
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from campaigns.admin.campaign_form import (
    CONDITIONS,
    FIELDSETS,
    LINKS,
    CampaignForm,
    CopyForm,
)
from campaigns.admin.methods import MethodInline, percent
from campaigns.admin.readiness import ReadinessAdmin
from campaigns.admin.wording import gives, in_words, points_given
from campaigns.models import Campaign
from campaigns.reports import (
    NOTHING_GIVEN,
    given_by,
    standings_of,
)
from campaigns.services.audience import audience_count
from campaigns.services.composing import problems_of, saved_parts
from campaigns.services.lifecycle import duplicate_as_draft
from loyalty.admin.bases import OwnProgramFilter
from loyalty.admin.changelist import RowsList
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import bar, number
from loyalty.admin.offers import (
    STATE_LABELS,
    StateFilter,
    pays_nothing,
    state_of,
    switch_question,
    window,
)
from loyalty.models import Member
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


class CampaignChangeList(RowsList):
    """The list, with what each campaign of the page has given."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask once for the whole page."""
        super().get_results(request)
        given = given_by([campaign.pk for campaign in self.result_list])
        for campaign in self.result_list:
            campaign.given = given.get(campaign.pk, NOTHING_GIVEN)


@admin.register(Campaign)
class CampaignAdmin(ReadinessAdmin):
    """What marketing offers, to whom, when, for what and up to where."""

    form = CampaignForm
    list_display = ("told", "state", "bucket", "window", "points_given", "budget_used")
    list_filter = (
        StateFilter,
        ("context", ChoicesDropdownFilter),
        ("group", OwnProgramFilter),
        ("business_unit", OwnProgramFilter),
        ("included_segments", OwnProgramFilter),
        ("activity_types", OwnProgramFilter),
        ("reward_method", ChoicesDropdownFilter),
    )
    search_fields = ("name", "code", "owner_code", "description")
    list_select_related = (
        "wallet",
        "frequency_period",
        "minimum_tier",
        "item_list",
        "business_unit",
        "group",
        "voucher_type",
        "point_cost_wallet",
    )
    list_per_page = 25
    ordering = ("-pk",)
    autocomplete_fields = (
        "activity_types",
        "channels",
        "included_segments",
        "excluded_segments",
        "item_list",
        "qualify_groups",
        "business_units",
    )
    conditional_fields = CONDITIONS
    inlines = (MethodInline,)
    actions_detail: tuple[str, ...] = ("switch_on", "switch_off", "duplicate")
    change_form_outer_before_template = "admin/campaigns/in_words.html"
    readonly_fields = ("points_given", "budget_used")
    fieldsets = FIELDSETS

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related(*LINKS)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Show what is over last, the newest of the others first."""
        is_over = Case(When(ends_at__lte=clock.now(), then=1), default=0)
        return [is_over.asc(), *self.ordering]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowsList]:
        return CampaignChangeList

    def get_readonly_fields(
        self, request: HttpRequest, obj: Campaign | None = None
    ) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Leave out what a new campaign cannot have yet."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None:
            return fieldsets
        absent = set(self.readonly_fields)
        return [
            (
                name,
                {
                    **options,
                    "fields": [f for f in options["fields"] if f not in absent],
                },
            )
            for name, options in fieldsets
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the campaign in words, as it is saved."""
        extra = dict(extra_context or {})
        campaign = self._saved(request, object_id)
        if campaign is not None:
            now = clock.now()
            state = state_of(campaign, now)
            given = _given(campaign)
            extra |= {
                "in_words": in_words(campaign, timezone.get_current_timezone()),
                "pays_nothing": pays_nothing(campaign),
                "state": state,
                "state_variant": STATE_LABELS[state],
                "audience": audience_count(campaign, now),
                "member_count": Member.objects.filter(program=campaign.program).count(),
                "points_given": points_given(given, campaign.wallet.decimals),
                "award_count": given.awards,
                "to_win": _to_win(campaign),
            }
            if state != "Ended":
                extra["readiness"] = self.readiness_context(request, campaign)
        return super().changeform_view(request, object_id, form_url, extra)

    def _saved(self, request: HttpRequest, object_id: str | None) -> Campaign | None:
        if object_id is None or not object_id.isdigit():
            return None
        rows = self.get_queryset(request).select_related(*self.list_select_related)
        return rows.filter(pk=object_id).first()

    @display(description="Campaign", ordering="name")
    def told(self, campaign: Campaign) -> SafeString:
        """Return the name with the campaign in words below it."""
        return format_html(
            '<span class="loyalty-name">{}</span><span class="loyalty-words">{}</span>',
            campaign.name,
            in_words(campaign, timezone.get_current_timezone()),
        )

    @display(description="Now", label=STATE_LABELS)
    def state(self, campaign: Campaign) -> str:
        """Return what it is doing now."""
        return state_of(campaign, clock.now())

    @display(description="Bucket", label={"Bonus": "success", "Targeted": "primary"})
    def bucket(self, campaign: Campaign) -> str:
        """Return which part of the earnings its points belong to."""
        is_targeted = campaign.minimum_tier_id or campaign.included_segments.all()
        return "Targeted" if is_targeted else "Bonus"

    @display(description="When", ordering="starts_at")
    def window(self, campaign: Campaign) -> str:
        """Return the dates."""
        text = window(campaign, timezone.get_current_timezone())
        return text[0].upper() + text[1:]

    @display(description="Points given")
    def points_given(self, campaign: Campaign) -> str:
        """Return what members got and still have."""
        return points_given(_given(campaign), campaign.wallet.decimals)

    @display(description="Budget used", empty_value="No budget")
    def budget_used(self, campaign: Campaign) -> str | None:
        """Return a bar of the budget that is nearest to its end."""
        given = _given(campaign)
        bars = []
        if campaign.points_budget is not None:
            used = given.points / 10**campaign.wallet.decimals
            text = f"of {number(campaign.points_budget)} points"
            bars.append((used / float(campaign.points_budget), text))
        if campaign.awards_budget is not None:
            text = f"{given.awards:,} of {campaign.awards_budget:,} awards"
            bars.append((given.awards / campaign.awards_budget, text))
        if not bars:
            return None
        share, text = max(bars)
        return bar(share, f"{share:.0%} {text}" if text.startswith("of") else text)

    @action(description="Enable", permissions=["change"], icon="play_arrow")
    def switch_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the campaign pay."""
        return self._switch_one(request, object_id, to=True)

    @action(
        description="Disable",
        permissions=["change"],
        icon="pause",
        variant=ActionVariant.DANGER,
    )
    def switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the campaign pay nothing any more."""
        return self._switch_one(request, object_id, to=False)

    @action(description="Duplicate as draft", permissions=["add"], icon="content_copy")
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a disabled copy and open it."""
        campaign = self.row_or_404(request, object_id)
        posted = request.POST if is_confirmed(request) else None
        form = CopyForm(posted, initial={"name": f"Copy of {campaign.name}"[:200]})
        if not (is_confirmed(request) and form.is_valid()):
            question = Question(
                f"Copy “{campaign}”?",
                "The copy has the same rules and is disabled: nobody earns from it "
                "until you enable it. What the original gave is not counted against "
                "the budget of the copy.",
                "Make the copy",
            )
            back = self.address_of("change", campaign.pk)
            return ask(request, self, question, form=form, back=back, obj=campaign)
        copy = duplicate_as_draft(campaign, form.cleaned_data["name"])
        self.log_addition(request, copy, f"Copied from campaign {campaign.pk}.")
        self.message_of(
            request, "This is the copy. It is disabled: change it, then enable it."
        )
        return self.back_to(copy)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to enable or to disable, whichever changes something."""
        campaign = Campaign.objects.filter(pk=object_id).only("is_enabled").first()
        useless = "switch_on" if campaign and campaign.is_enabled else "switch_off"
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if not one.action_name.endswith(useless)]

    def _switch(
        self, request: HttpRequest, queryset: QuerySet, *, to: bool
    ) -> HttpResponse | None:
        """Refuse to enable what cannot be, before anybody is asked."""
        if to:
            for row in queryset.exclude(is_enabled=True):
                why = _why_not(row)
                if why:
                    text = f"“{row}” cannot be enabled: {why}"
                    self.message_user(request, text, messages.ERROR)
                    return None
        return super()._switch(request, queryset, to=to)

    def _switch_one(
        self, request: HttpRequest, object_id: str, *, to: bool
    ) -> HttpResponse:
        campaign = self.row_or_404(request, object_id)
        if not to and not is_confirmed(request):
            back = self.address_of("change", campaign.pk)
            question = switch_question([campaign], to=to)
            return ask(request, self, question, back=back, obj=campaign)
        rows = self.get_queryset(request).filter(pk=object_id)
        asked = self._switch(request, rows, to=to)
        return asked or self.back_to(campaign)


def _why_not(campaign: Campaign) -> str:
    campaign.is_enabled = True
    problems = problems_of(*saved_parts(campaign))
    return " ".join(one.sentence for one in problems)


def _to_win(campaign: Campaign) -> list[dict[str, str]]:
    """Return what can be won or is given, as lines of a table."""
    methods = sorted(campaign.methods.all(), key=lambda one: one.pk)
    return [
        {
            "name": one.method.title or one.method.name,
            "gives": gives(one.method),
            "chance": "" if one.chance is None else percent(one.chance),
            "given": f"{one.given:,}",
            "left": "No limit" if one.left is None else f"{one.left:,}",
        }
        for one in standings_of(campaign, methods)
    ]


def _given(campaign: Campaign) -> Any:
    row: Any = campaign
    if getattr(row, "given", None) is None:
        # The theme reads a field that is only shown many times for one page.
        row.given = given_by([campaign.pk]).get(campaign.pk, NOTHING_GIVEN)
    return row.given
