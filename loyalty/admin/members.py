"""Pages of members: who they are, what they hold and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.decorators import action, display

from loyalty.admin.adjusting import adjusting_page
from loyalty.admin.bases import OwnProgramFilter, ProgramAdmin, ReadOnlyAdmin
from loyalty.admin.deleting import QuickDeleteInline
from loyalty.admin.formatting import link, list_page, name_of, number, points
from loyalty.admin.moments import last_day
from loyalty.admin.searching import TooMany, members_like
from loyalty.admin.statement import expiring_lines, last_movements, statement_page
from loyalty.admin.vouchers import vouchers_of
from loyalty.admin.working_program import working_program
from loyalty.models import (
    Identity,
    Lot,
    Member,
    MemberTier,
    SegmentMembership,
    Voucher,
)
from loyalty.reports import holdings_of
from loyalty.services import clock
from loyalty.services.identities import (
    holders_of,
    identities_called,
    settle_duplicates,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from loyalty.models import Program

_SHOWN = 10
_LIKE_MAX = 200


class IdentityForm(forms.ModelForm):
    """One identity; it must be new in the whole program."""

    def _get_validation_exclusions(self) -> set[str]:
        # The program is no field of the form, but identities are unique within it.
        return super()._get_validation_exclusions() - {"program"}  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        """Refuse what another member has in whatever spelling."""
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        kind, value = answers.get("kind"), answers.get("value")
        row = self.instance
        if kind and value and row.program_id is not None and self.has_changed():
            holders = holders_of(row.program_id, [(kind, value)])
            if set(holders.values()) - {row.member_id}:
                self.add_error("value", "Another member has this identity.")
        return answers


class IdentityInline(QuickDeleteInline, TabularInline):
    """How the member is found."""

    model = Identity
    form = IdentityForm
    fields = ("kind", "value")
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Put new identities into the member's program."""
        formset = super().get_formset(request, obj, **kwargs)
        program = working_program(request)

        class InProgram(formset):  # type: ignore[misc, valid-type]
            def _construct_form(self, i: int, **options: Any) -> Any:
                form = super()._construct_form(i, **options)
                form.instance.program = program
                return form

        return InProgram


@admin.register(Member)
class MemberAdmin(ProgramAdmin):
    """One person's membership."""

    list_display = (
        "identities_shown",
        "tier",
        "business_unit",
        "enrolled_at",
        "is_blocked",
    )
    list_filter = (
        "is_blocked",
        ("tier", OwnProgramFilter),
        ("business_unit", OwnProgramFilter),
        ("segment_memberships__segment", OwnProgramFilter),
    )
    search_fields = ("identities__value__exact", "=id")
    search_help_text = "A customer number, name, e-mail address, or a part of one."
    list_select_related = ("tier", "business_unit")
    ordering = ("-pk",)
    actions = None
    actions_detail = ("statement", "adjust_points")
    inlines = (IdentityInline,)
    readonly_fields = ("enrolled_at",)
    change_form_outer_before_template = "admin/loyalty/member_panel.html"
    fieldsets = (
        ("Who", {"fields": ("program", "business_unit", "is_blocked", "enrolled_at")}),
        (
            "More about the member",
            {"classes": ("collapse",), "fields": ("attributes",)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("identities")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Find members by a whole identity, else by a part of one or of the name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        program = working_program(request)
        if program is None:
            return queryset.none(), False
        found = identities_called(program.pk, term).values("member")
        rows = queryset.filter(pk__in=found)
        if rows.exists():
            return rows, False
        if term.isascii() and term.isdigit() and len(term) < 19:
            by_id = queryset.filter(pk=int(term))
            if by_id.exists():
                return by_id, False
        return queryset.filter(pk__in=self._like(request, program, term)), False

    def _like(self, request: HttpRequest, program: Program, term: str) -> list[int]:
        """Return the members of whom a part is known; at most 200."""
        try:
            return [one.pk for one in members_like(program.pk, term, _LIKE_MAX)]
        except TooMany as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
            return []

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add what the member holds and has done."""
        member = (
            self.get_queryset(request).filter(pk=object_id).first()
            if object_id
            else None
        )
        extra = {**(extra_context or {}), **(_panel(member) if member else {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def save_formset(
        self,
        request: HttpRequest,
        form: forms.ModelForm,
        formset: Any,
        change: bool,  # noqa: FBT001 (Django's signature)
    ) -> None:
        """Let who was called alike be found once the other is not any more."""
        super().save_formset(request, form, formset, change)
        settle_duplicates(form.instance.program_id)

    def has_adjust_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may move points by hand."""
        return request.user.has_perm("loyalty.add_entry")

    @action(description="Adjust points", permissions=["adjust"], icon="exposure")
    def adjust_points(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give points or take them, after asking."""
        return adjusting_page(request, self, self.row_or_404(request, object_id))

    @action(description="Statement", permissions=["view"], icon="receipt_long")
    def statement(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show every movement with the balance after it."""
        return statement_page(request, self, self.row_or_404(request, object_id))

    @display(description="Member")
    def identities_shown(self, member: Member) -> str:
        """Return how the member is found."""
        identities = member.identities.all()
        return ", ".join(f"{one.kind} {one.value}" for one in identities) or str(member)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Members are blocked, so that their points stay explained."""
        return False


def _panel(member: Member) -> dict[str, Any]:
    """Return what the member's page shows above the form."""
    now = clock.now()
    holdings = [
        {
            "wallet": one.wallet,
            "balance": points(one.balance, one.wallet.decimals),
            "spendable": points(one.spendable, one.wallet.decimals),
            "pending": points(one.pending, one.wallet.decimals),
            "owed": points(one.owed, one.wallet.decimals) if one.owed else "",
            "earned": points(one.lifetime_earned, one.wallet.decimals),
            "next_expiry_at": one.next_expiry_at and last_day(one.next_expiry_at),
            "next_expiry": points(one.next_expiry, one.wallet.decimals),
        }
        for one in holdings_of(member, now)
    ]
    tiers = MemberTier.objects.filter(member=member).select_related("tier")
    stays = SegmentMembership.objects.filter(member=member).select_related("segment")
    activities = reverse("admin:activities_activity_changelist")
    return {
        "member": member,
        "holdings": holdings,
        "tier_history": tiers.order_by("-since", "-pk")[:_SHOWN],
        "stays": [
            (stay, last_day(stay.left_at, empty=""))
            for stay in stays.order_by("segment__name")[:50]
        ],
        "last_activities": _last_activities(member),
        "movements": last_movements(member, _SHOWN),
        "expiring": expiring_lines(member, now),
        "activities_page": f"{activities}?member__id__exact={member.pk}",
        "statement_page": reverse("admin:loyalty_member_statement", args=[member.pk]),
        "vouchers": vouchers_of(member, _SHOWN),
        "vouchers_page": list_page(Voucher, member__id__exact=member.pk),
        "lots_page": list_page(Lot, account__member__id__exact=member.pk),
    }


def _last_activities(member: Member) -> Any:
    # The relation belongs to the app above; the manager is reached by its name.
    rows: Any = member.activities
    return (
        rows.select_related("activity_type", "channel")
        .annotate(taken_back=Q(reversal__isnull=False))
        .order_by("-occurred_at", "-pk")[:_SHOWN]
    )


@admin.register(MemberTier)
class MemberTierAdmin(ReadOnlyAdmin):
    """Who rose and fell, when and why."""

    program_path = "member__program"
    list_display = ("since", "whose", "tier", "cause", "score_shown")
    list_filter = (("tier", OwnProgramFilter), "cause")
    search_fields = ("member__identities__value__exact",)
    search_help_text = "A whole customer number or other identity."
    list_select_related = ("member", "tier")
    fields = list_display
    readonly_fields = list_display

    @display(description="Score", ordering="score")
    def score_shown(self, step: MemberTier) -> str:
        """Return the score in points, without decimals that say nothing."""
        return number(step.score)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("member__identities")

    @display(description="Member")
    def whose(self, step: MemberTier) -> SafeString:
        """Return whose tier changed."""
        return link(step.member, name_of(step.member))
