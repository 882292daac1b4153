"""Pages of activity types: what members can do and what it pays."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from loyalty.admin.bases import OwnProgramFilter
from loyalty.admin.offers import (
    REWARD_CONDITIONS,
    STATE_LABELS,
    OfferForm,
    StateFilter,
    SwitchedAdmin,
    limits,
    pays,
    state_of,
    window,
)
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.models import ActivityType, Offer
from loyalty.services import clock

_NEEDS_A_CODE = "An activity type needs a code."
_METHODS = (RewardKind.FIXED, RewardKind.PER_VALUE, RewardKind.NOTHING)


class ActivityTypeForm(OfferForm):
    """Only the rewards that an activity type can have; one name is enough."""

    kind = OfferKind.ACTIVITY_TYPE

    class Meta:
        help_texts = {
            "title": "What members do, for example Purchase.",
            "name": "For staff, where it should differ. Empty: the title.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for the code, not for a second name; take out the other rewards."""
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = False
        if "code" in self.fields:
            self.fields["code"].required = True
            self.fields["code"].error_messages["required"] = _NEEDS_A_CODE
        field = self.fields.get("reward_method")
        if isinstance(field, forms.ChoiceField):
            labels = dict(Offer._meta.get_field("reward_method").flatchoices)
            field.choices = [(one.value, labels[one.value]) for one in _METHODS]

    def clean(self) -> dict[str, Any]:
        """Take the title for the name where there is none."""
        answers = super().clean() or {}
        if "name" in self.fields and not answers.get("name"):
            answers["name"] = answers.get("title", "")
        return answers


@admin.register(ActivityType)
class ActivityTypeAdmin(SwitchedAdmin):
    """What members can do, and the base points it earns."""

    form = ActivityTypeForm
    list_display = (
        "titled",
        "code",
        "state",
        "pays",
        "often",
        "window",
        "review",
    )
    list_filter = (
        StateFilter,
        "needs_review",
        ("business_unit", OwnProgramFilter),
        ("partner", OwnProgramFilter),
        ("tags", OwnProgramFilter),
        ("category", OwnProgramFilter),
    )
    search_fields = ("title", "name", "code", "public_title")
    list_select_related = ("wallet", "frequency_period")
    ordering = ("title", "pk")
    autocomplete_fields = ("segment", "partner", "tags")
    conditional_fields = REWARD_CONDITIONS
    fieldsets = (
        (
            "What",
            {
                "classes": ("tab",),
                "fields": (
                    "program",
                    "title",
                    "name",
                    "code",
                    "description",
                    "is_enabled",
                    "category",
                    "type_kind",
                    "reporting_channel",
                    "partner",
                    "tags",
                    "needs_review",
                ),
            },
        ),
        ("When", {"classes": ("tab",), "fields": ("starts_at", "ends_at")}),
        (
            "Who",
            {
                "classes": ("tab",),
                "fields": (
                    "minimum_tier",
                    "show_as_locked_by_tier",
                    "segment",
                    "segment_mode",
                ),
            },
        ),
        ("Where", {"classes": ("tab",), "fields": ("business_unit",)}),
        (
            "Reward",
            {
                "classes": ("tab",),
                "fields": (
                    "wallet",
                    "reward_method",
                    "points",
                    "per_value",
                    "allows_negative_value",
                    "value_param",
                ),
            },
        ),
        (
            "Limits",
            {
                "classes": ("tab",),
                "fields": ("cap_count", "frequency_period", "required_attempts"),
            },
        ),
        (
            "For members",
            {
                "classes": ("tab",),
                "fields": (
                    "public_title",
                    "public_description",
                    "image",
                    "redirect_url",
                    "points_on_click",
                    "action_tags",
                    "extra_data",
                ),
            },
        ),
    )

    @display(description="Activity type", ordering="title")
    def titled(self, kind: ActivityType) -> str:
        """Return the title."""
        return str(kind)

    @display(description="Now", label=STATE_LABELS)
    def state(self, kind: ActivityType) -> str:
        """Return what it is doing now."""
        return state_of(kind, clock.now())

    @display(description="Review", label={"To review": "warning"})
    def review(self, kind: ActivityType) -> str | None:
        """Return whether somebody should look at it."""
        return "To review" if kind.needs_review else None

    @display(description="Pays")
    def pays(self, kind: ActivityType) -> str:
        """Return the reward in words."""
        text = pays(kind).removeprefix("earn ")
        return text[0].upper() + text[1:]

    @display(description="Limits")
    def often(self, kind: ActivityType) -> str:
        """Return the cap in words."""
        return ", ".join(limits(kind)) or "–"

    @display(description="When", ordering="starts_at")
    def window(self, kind: ActivityType) -> str:
        """Return the dates."""
        return window(kind, timezone.get_current_timezone())
