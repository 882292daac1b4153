"""Pages of quests: what has to be done, for what prize, and how far members are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import StackedInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from campaigns.admin.wording import points_given, quest_in_words
from campaigns.models import Quest, QuestOptIn, QuestRequirement, QuestStatus
from campaigns.reports import NOTHING_GIVEN, given_by, participants_of
from loyalty.admin.bases import (
    OwnProgramFilter,
    ProgramAdmin,
    ProgramChoices,
)
from loyalty.admin.changelist import RowsList
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.deleting import QuickDeleteInline
from loyalty.admin.formatting import list_page
from loyalty.admin.offers import OfferForm, window
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.engine.quests import Measure

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


STATUS_LABELS = {"Draft": "info", "Published": "success", "Archived": "default"}
_PRIZES = [
    (RewardKind.FIXED.value, "Points"),
    (RewardKind.VOUCHER.value, "A voucher"),
]
_STAYS = (
    "Members have made progress in it or got its prize. Archive it instead: nothing "
    "counts towards it any more and its history stays."
)


class QuestForm(OfferForm):
    """The quest's form."""

    kind = OfferKind.QUEST

    class Meta:
        help_texts = {
            "name": "As it stands in lists and in apps.",
            "reward_method": "What a member gets for completing it.",
            "points": "What a member gets for completing it.",
            "voucher_type": "The voucher that a member gets for completing it.",
            "code": "Optional: the name that other systems use for this quest.",
            "business_unit": "Only activities of this unit, or of none, count; the "
            "prize is booked under it. Empty: every unit.",
            "minimum_tier": "What members below it do does not count.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the two kinds of prizes."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("reward_method")
        if field is not None:
            field.label, field.choices = "Prize", _PRIZES


class RequirementForm(forms.ModelForm):
    """One requirement; a new one counts activities unless somebody says otherwise."""

    class Meta:
        help_texts = {
            "value_threshold": "How many activities, or how much value: 3 for “Buy "
            "three coffees”.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Count activities: that is what “three coffees” means to people."""
        super().__init__(*args, **kwargs)
        if "measure" in self.fields:
            self.fields["measure"].initial = Measure.ACTIVITIES.value


class RequirementInline(QuickDeleteInline, ProgramChoices, StackedInline):
    """What has to be reached."""

    model = QuestRequirement
    form = RequirementForm
    verbose_name = "requirement"
    extra = 0
    min_num = 1
    tab = True
    autocomplete_fields = ("activity_type",)
    ordering_field = "order"
    hide_ordering_field = False
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "description",
                    "activity_type",
                    "measure",
                    "value_threshold",
                    "restricted_to_ids",
                    "check_in_interval_days",
                    "order",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).order_by("order", "pk")


class QuestChangeList(RowsList):
    """The list, with what each quest of the page has given and to how many."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask twice for the whole page."""
        super().get_results(request)
        ids = [quest.pk for quest in self.result_list]
        given, taking_part = given_by(ids), participants_of(ids)
        for quest in self.result_list:
            quest.given = given.get(quest.pk, NOTHING_GIVEN)
            quest.participants = taking_part.get(quest.pk, 0)


@admin.register(Quest)
class QuestAdmin(ProgramAdmin):
    """Prizes for what several activities add up to."""

    form = QuestForm
    inlines = (RequirementInline,)
    list_display = ("told", "state", "window", "taking_part", "prizes", "points_given")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("opt_in_mode", ChoicesDropdownFilter),
        ("business_unit", OwnProgramFilter),
    )
    search_fields = ("name", "code", "description", "requirements__description")
    list_select_related = (
        "wallet",
        "minimum_tier",
        "business_unit",
        "voucher_type",
    )
    list_per_page = 25
    ordering = ("-pk",)
    autocomplete_fields = ("included_segments", "excluded_segments")
    conditional_fields = {
        "points": "typeof reward_method == 'undefined' || reward_method == 'fixed'",
        "voucher_type": "typeof reward_method == 'undefined' || "
        "reward_method == 'voucher' || voucher_type",
    }
    actions_detail = ("publish", "archive", "show_participants")
    change_form_outer_before_template = "admin/campaigns/quest_in_words.html"
    fieldsets = (
        (
            "What",
            {
                "classes": ("tab",),
                "fields": ("program", "name", "status", "description", "code"),
            },
        ),
        (
            "When",
            {
                "classes": ("tab",),
                "fields": ("starts_at", "ends_at", "time_to_complete_minutes"),
            },
        ),
        (
            "Who",
            {
                "classes": ("tab",),
                "description": "With a segment or a tier the prize is booked as "
                "Targeted, otherwise as Bonus.",
                "fields": (
                    "opt_in_mode",
                    "included_segments",
                    "excluded_segments",
                    "minimum_tier",
                    "business_unit",
                ),
            },
        ),
        (
            "Prize",
            {
                "classes": ("tab",),
                "fields": (
                    "reward_method",
                    "points",
                    "voucher_type",
                    "wallet",
                    "completions_per_member",
                    "completions_total",
                    "enforce_order",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("requirements")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowsList]:
        return QuestChangeList

    def get_readonly_fields(
        self, request: HttpRequest, obj: Quest | None = None
    ) -> tuple[str, ...]:
        """How members take part is fixed once somebody does."""
        is_fixed = obj is not None and obj.opt_ins.exists()
        return ("opt_in_mode",) if is_fixed else ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the quest in words, as it is saved."""
        extra = dict(extra_context or {})
        rows = self.get_queryset(request).select_related("wallet", "voucher_type")
        is_saved = object_id is not None and object_id.isdigit()
        quest = rows.filter(pk=object_id).first() if is_saved else None
        if quest is not None:
            extra |= {
                "in_words": quest_in_words(quest, timezone.get_current_timezone()),
                "state": quest.get_status_display(),
                "state_variant": STATUS_LABELS[quest.get_status_display()],
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def reasons_to_stay(self, request: HttpRequest, rows: list[Any]) -> list[str]:
        """Say in words why a quest that counted something stays."""
        return [_STAYS] if super().reasons_to_stay(request, rows) else []

    @display(description="Quest", ordering="name")
    def told(self, quest: Quest) -> SafeString:
        """Return the name with the quest in words below it."""
        return format_html(
            '<span class="loyalty-name">{}</span><span class="loyalty-words">{}</span>',
            quest.name,
            quest_in_words(quest, timezone.get_current_timezone()),
        )

    @display(description="Status", label=STATUS_LABELS)
    def state(self, quest: Quest) -> str:
        """Return where it is in its life."""
        return quest.get_status_display()

    @display(description="When", ordering="starts_at")
    def window(self, quest: Quest) -> str:
        """Return the dates."""
        text = window(quest, timezone.get_current_timezone())
        return text[0].upper() + text[1:]

    @display(description="Taking part")
    def taking_part(self, quest: Quest) -> str:
        """Return how many members take part."""
        return f"{quest.participants:,}"  # type: ignore[attr-defined]

    @display(description="Prizes")
    def prizes(self, quest: Quest) -> str:
        """Return how many prizes stand, and of how many."""
        given: int = quest.given.awards  # type: ignore[attr-defined]
        most = quest.completions_total
        return f"{given:,}" if most is None else f"{given:,} of {most:,}"

    @display(description="Points given")
    def points_given(self, quest: Quest) -> str:
        """Return what members got and still have."""
        return points_given(quest.given, quest.wallet.decimals)  # type: ignore[attr-defined]

    @action(description="Publish", permissions=["change"], icon="play_arrow")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let members take part."""
        question = (
            "Members can take part from now on, within its dates. What they did "
            "before counts only where they take part automatically and it is "
            "recorded from now on."
        )
        return self._move(request, object_id, QuestStatus.PUBLISHED, question)

    @action(
        description="Archive",
        permissions=["change"],
        icon="inventory_2",
        variant=ActionVariant.DANGER,
    )
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let nothing count any more."""
        question = "Nothing counts towards it any more. Prizes already given stay."
        return self._move(request, object_id, QuestStatus.ARCHIVED, question)

    @action(description="Participants", permissions=["view"], icon="groups")
    def show_participants(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who takes part."""
        quest = self.row_or_404(request, object_id)
        return HttpResponseRedirect(list_page(QuestOptIn, quest__id__exact=quest.pk))

    def _move(
        self, request: HttpRequest, object_id: str, to: QuestStatus, question: str
    ) -> HttpResponse:
        quest: Quest = self.row_or_404(request, object_id)
        word = {"published": "Publish", "archived": "Archive"}[to.value]
        if quest.status == to:
            self.message_user(request, f"It is {to.label.lower()} already.")
            return self.back_to(quest)
        if not is_confirmed(request):
            asked = Question(
                f"{word} “{quest}”?",
                question,
                word,
                is_dangerous=to is QuestStatus.ARCHIVED,
            )
            back = self.address_of("change", quest.pk)
            return ask(request, self, asked, back=back, obj=quest)
        quest.status = to
        quest.save(update_fields=["status", "is_enabled"])
        self.log_change(request, quest, f"{to.label}.")
        self.message_of(request, f"“{quest}” is {to.label.lower()}.")
        return self.back_to(quest)
