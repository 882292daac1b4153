"""Pages of those who take part in quests, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from campaigns.models import QuestOptIn
from campaigns.services.taking_part import participations_of
from loyalty.admin.bases import OwnProgramFilter, ReadOnlyAdmin
from loyalty.admin.formatting import link, name_of
from loyalty.engine.numbers import format_value

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from campaigns.services.taking_part import Participation
    from loyalty.engine.quests import Progress


@admin.register(QuestOptIn)
class QuestOptInAdmin(ReadOnlyAdmin):
    """Who takes part in which quest, since when, and how far they are."""

    program_path = "quest__program"
    list_display = ("who", "quest_link", "opted_in_at", "valid_through", "is_automatic")
    list_filter = (("quest", OwnProgramFilter),)
    search_fields = ("member__identities__value__startswith",)
    search_help_text = "A member's id, or how it begins."
    list_select_related = ("quest", "member")
    fieldsets = (
        (
            "Who",
            {
                "fields": (
                    "who",
                    "quest_link",
                    "opted_in_at",
                    "valid_through",
                    "created_at",
                )
            },
        ),
        ("How far", {"fields": ("progress",)}),
    )
    readonly_fields = ("who", "quest_link", "valid_through", "progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from a quest, not from the menu."""
        return False

    @display(description="Member")
    def who(self, opt_in: QuestOptIn) -> SafeString:
        """Return the member, linked."""
        return link(opt_in.member, name_of(opt_in.member))

    @display(description="Quest", ordering="quest")
    def quest_link(self, opt_in: QuestOptIn) -> SafeString:
        """Return the quest, linked."""
        return link(opt_in.quest)

    @display(description="Progress")
    def progress(self, opt_in: QuestOptIn) -> SafeString:
        """Return how far each requirement is, and whether the prize was given."""
        program_id = opt_in.quest.program_id
        found = participations_of(program_id, opt_in.member_id)
        (one,) = [each for each in found if each.id == opt_in.pk]
        lines = [_line(each) for each in one.progress]
        return format_html_join(
            "", "<p>{}</p>", ((line,) for line in [*lines, _prize(one)])
        )


def _line(one: Progress) -> str:
    needed = "–" if one.needed is None else format_value(one.needed)
    return f"{one.requirement.description}: {format_value(one.value)} of {needed}"


def _prize(one: Participation) -> str:
    if one.prize_at is not None:
        return "The prize was given."
    if one.is_completed:
        return "Everything is done, but no prize was left."
    return "No prize yet."
