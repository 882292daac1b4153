"""How identities are compared, and members who turn out to be called alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import F, OuterRef, Subquery
from unfold.admin import TabularInline
from unfold.decorators import display

from loyalty.admin.bases import ReadOnlyAdmin
from loyalty.admin.formatting import link
from loyalty.models import DuplicateIdentity, Identity, IdentityRule

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class IdentityRuleInline(TabularInline):
    """How identities of a kind are compared, where the program says so itself."""

    model = IdentityRule
    fields = ("kind", "comparison")
    extra = 0
    verbose_name_plural = (
        "How identities are compared (kinds not listed: e-mail addresses without "
        "case, telephone numbers in any spelling, all others to the letter)"
    )


@admin.register(DuplicateIdentity)
class DuplicateIdentityAdmin(ReadOnlyAdmin):
    """Members who are called alike; nobody is merged."""

    list_display = ("kind", "value", "whose", "other_value", "others")
    list_display_links = None
    search_fields = ("value__exact",)
    list_select_related = ("member",)
    ordering = ("kind", "key", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Add who holds the key; identities of one member are no trouble."""
        holder = Identity.objects.filter(
            program=OuterRef("program"),
            key=OuterRef("key"),
            kind=OuterRef("kind"),
            is_duplicate=False,
        )
        rows = (
            super()
            .get_queryset(request)
            .annotate(
                holder_id=Subquery(holder.values("member")[:1]),
                holder_value=Subquery(holder.values("value")[:1]),
            )
        )
        return rows.exclude(holder_id=F("member"))

    @display(description="Member")
    def whose(self, row: DuplicateIdentity) -> SafeString:
        """Return whose identity it is."""
        return link(row.member, f"Member {row.member_id}")

    @display(description="Means the same as")
    def other_value(self, row: DuplicateIdentity) -> str:
        """Return the identity that is found by other spellings."""
        return getattr(row, "holder_value", None) or "–"

    @display(description="of")
    def others(self, row: DuplicateIdentity) -> str:
        """Return whose that one is."""
        number = getattr(row, "holder_id", None)
        return f"Member {number}" if number else "–"
