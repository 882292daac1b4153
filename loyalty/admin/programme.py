"""Pages of the program and of the vocabulary marketers choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from loyalty.admin.bases import ProgramAdmin
from loyalty.admin.deleting import QuickDelete
from loyalty.admin.formatting import number
from loyalty.admin.identities import IdentityRuleInline
from loyalty.admin.versions import Versioned
from loyalty.admin.working_program import choose_program, working_program
from loyalty.models import (
    BusinessUnit,
    Category,
    Channel,
    ExchangeRate,
    FrequencyPeriod,
    Kind,
    KindNumber,
    Partner,
    Program,
    ReportingChannel,
    Tag,
    Tier,
)
from loyalty.services.staff import bind_to_new_program, programs_of
from loyalty.tasks import enqueue_settling

if TYPE_CHECKING:
    from django import forms
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class ExchangeRateInline(TabularInline):
    """What other currencies are worth, from which day on."""

    model = ExchangeRate
    fields = ("currency", "valid_from", "rate")
    ordering = ("currency", "-valid_from")
    extra = 0
    tab = True


@admin.register(Program)
class ProgramsAdmin(QuickDelete, Versioned, ModelAdmin):
    """The programs of this installation."""

    list_display = ("name", "code", "time_zone", "is_enabled", "is_worked_in")
    list_filter = ("is_enabled",)
    search_fields = ("name", "code")
    ordering = ("name",)
    actions_row = ("work_in",)
    actions_detail = ("work_in",)
    warn_unsaved_form = True
    compressed_fields = True
    readonly_fields = ("configuration_revision",)
    inlines = (ExchangeRateInline, IdentityRuleInline)
    fieldsets = (
        ("What", {"fields": ("name", "code", "is_enabled")}),
        ("When", {"fields": ("time_zone", "first_weekday", "naive_timestamp_policy")}),
        ("Limits", {"fields": ("late_after_hours", "acceptance_days")}),
        ("Telephone numbers", {"fields": ("phone_region",)}),
        (
            "Money",
            {
                "fields": (
                    "currency",
                    ("line_value_max", "activity_value_max"),
                    ("line_quantity_max", "activity_points_max"),
                )
            },
        ),
        ("CrowdTwist clients", {"fields": ("allows_backdating",)}),
        (
            "People not known yet",
            {
                "fields": (
                    "moves_anonymous_history",
                    "retro_points",
                    "retro_hours",
                    "primary_identity",
                )
            },
        ),
        (
            "Sessions of client apps",
            {
                "fields": (
                    "session_hours",
                    "default_identifier_type",
                    "default_channel",
                    "has_closed_channels",
                )
            },
        ),
        ("History", {"fields": ("configuration_revision",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Mark the program worked in."""
        program = working_program(request)
        is_here = Q(pk__in=[program.pk] if program else [])
        rows = super().get_queryset(request)
        mine = rows.filter(pk__in=programs_of(request.user).values("pk"))
        return mine.annotate(is_here=is_here)

    def save_model(
        self,
        request: HttpRequest,
        obj: Program,
        form: forms.ModelForm,
        change: bool,  # noqa: FBT001 (Django's signature)
    ) -> None:
        """Let staff who are bound to programs work in one that they create."""
        super().save_model(request, obj, form, change)
        if not change:
            bind_to_new_program(request.user, obj)

    def save_related(
        self,
        request: HttpRequest,
        form: forms.ModelForm,
        formsets: Any,
        change: bool,  # noqa: FBT001 (Django's signature)
    ) -> None:
        """Let identities be compared anew if what they are compared by has changed."""
        super().save_related(request, form, formsets, change)
        if "phone_region" in form.changed_data or any(
            formset.has_changed() for formset in formsets
        ):
            enqueue_settling(form.instance.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A program is disabled, never deleted: its points stay explained."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Program | None = None
    ) -> tuple[str, ...]:
        """Keep the code as it was created: commands and files know it."""
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Program | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    @display(description="You work in", label={"here": "success"})
    def is_worked_in(self, program: Program) -> str | None:
        """Mark the program that pages show."""
        return "here" if program.is_here else None  # type: ignore[attr-defined]

    @action(description="Work in this program", permissions=["view"])
    def work_in(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """Show this program's rows on every page from now on."""
        program = self.get_object(request, object_id)
        if program is None:
            raise Http404
        choose_program(request, program)
        self.message_user(request, f"You now work in “{program}”.", messages.SUCCESS)
        wanted = request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        return HttpResponseRedirect(wanted if is_ours else reverse("admin:index"))

    def response_add(
        self, request: HttpRequest, obj: Program, post_url_continue: Any = None
    ) -> HttpResponse:
        """Offer to work in the new program."""
        answer = super().response_add(request, obj, post_url_continue)
        if working_program(request) != obj:
            address = reverse("admin:loyalty_program_work_in", args=[obj.pk])
            offer = format_html(
                "Pages still show “{}”. "
                '<a class="loyalty-link" href="{}">Work in “{}”</a>',
                working_program(request),
                address,
                obj,
            )
            messages.info(request, offer)
        return answer


class NamedAdmin(ProgramAdmin):
    """Rows with a code and a name."""

    list_display: tuple[str, ...] = ("name", "code", "is_enabled")
    list_filter: tuple[str, ...] = ("is_enabled",)
    search_fields = ("name", "code")
    ordering = ("name",)
    fieldsets: tuple[Any, ...] = (
        ("What", {"fields": ("program", "name", "code", "is_enabled")}),
    )


@admin.register(BusinessUnit)
class BusinessUnitAdmin(NamedAdmin):
    """Banners, countries or brands."""

    prepopulated_fields = {"code": ("name",)}


@admin.register(Channel)
class ChannelAdmin(NamedAdmin):
    """Where members act."""

    list_display = ("name", "code", "is_enabled", "review")
    list_filter = ("is_enabled", "needs_review")
    fieldsets = (
        (
            "What",
            {"fields": ("program", "name", "code", "is_enabled", "needs_review")},
        ),
    )

    @display(description="Review", label={"To review": "warning"})
    def review(self, channel: Channel) -> str | None:
        """Mark the channels that client apps named first."""
        return "To review" if channel.needs_review else None


@admin.register(Partner)
class PartnerAdmin(ProgramAdmin):
    """Sponsors of activities."""

    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets = (("What", {"fields": ("program", "name")}),)


@admin.register(Tag)
class TagAdmin(PartnerAdmin):
    """Labels for reports."""


@admin.register(Tier)
class TierAdmin(ProgramAdmin):
    """The rungs of the ladder."""

    list_display = ("name", "from_score")
    search_fields = ("name",)
    ordering = ("threshold",)
    fieldsets = (
        ("What", {"fields": ("program", "name")}),
        ("Who", {"fields": ("threshold",)}),
    )

    @display(description="From a score of", ordering="threshold")
    def from_score(self, tier: Tier) -> str:
        """Return the threshold, thousands parted."""
        return number(tier.threshold)


class VocabularyAdmin(QuickDelete, Versioned, ModelAdmin):
    """Numbered words that every program shares; shipped, not made."""

    list_display: tuple[str, ...] = ("id", "name")
    search_fields = ("name",)
    ordering = ("id",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ReportingChannel)
class ReportingChannelAdmin(VocabularyAdmin):
    """The 26 channels of the catalogue."""


@admin.register(Category)
class CategoryAdmin(VocabularyAdmin):
    """The four categories of the catalogue."""


class KindNumberInline(TabularInline):
    """What CrowdTwist clients are told of a kind, in each of their two lists."""

    model = KindNumber
    extra = 0
    can_delete = False
    fields = ("numbering", "number", "name")
    readonly_fields = ("numbering",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Kind)
class KindAdmin(VocabularyAdmin):
    """The eight kinds of the catalogue; only what clients are told can be changed."""

    list_display = ("id", "name", "key")
    readonly_fields = ("id", "name", "key")
    fields = ("id", "name", "key")
    inlines = (KindNumberInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ModelAdmin.has_change_permission(self, request, obj)


@admin.register(FrequencyPeriod)
class FrequencyPeriodAdmin(VocabularyAdmin):
    """The eleven ways to cut time; only their switch can be changed."""

    list_display = ("id", "name", "is_active")
    list_filter = ("is_active",)
    readonly_fields = ("id", "name", "unit")
    fields = ("id", "name", "is_active")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return ModelAdmin.has_change_permission(self, request, obj)
