"""Pages of the nightly check of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from activities.models import LedgerCheck
from loyalty.admin.bases import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(LedgerCheck)
class LedgerCheckAdmin(ReadOnlyAdmin):
    """Whether every sum in the ledger adds up, over all programs."""

    program_path = ""
    list_display = ("started_at", "finished_at", "result")
    ordering = ("-started_at",)
    fields = ("started_at", "finished_at", "result", "found")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return all of them: a check is of every program."""
        return LedgerCheck.objects.all()

    @display(
        description="Result",
        label={"Adds up": "success", "Not finished": "warning", "Mismatches": "danger"},
    )
    def result(self, check: LedgerCheck) -> tuple[str, str]:
        """Return the outcome in two words."""
        if check.finished_at is None:
            return "Not finished", "Not finished"
        if not check.mismatch_count:
            return "Adds up", "Adds up"
        return "Mismatches", f"{check.mismatch_count:,} mismatches"

    @display(description="Mismatches")
    def found(self, check: LedgerCheck) -> SafeString | str:
        """Return the first hundred, a line each."""
        lines = [
            (one["law"], one["where"], one["stored"], one["expected"])
            for one in check.mismatches
        ]
        template = "<p>{}: {} has {}, should be {}</p>"
        return format_html_join("", template, lines) or "None"
