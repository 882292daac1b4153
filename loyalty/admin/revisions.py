"""The history of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from unfold.decorators import display

from loyalty.admin.bases import ReadOnlyAdmin
from loyalty.admin.filters import DaysFilter
from loyalty.models import ConfigurationRevision

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(ConfigurationRevision)
class ConfigurationRevisionAdmin(ReadOnlyAdmin):
    """Who changed which kinds of rows, and when."""

    list_display = ("number", "created_at", "who", "kinds")
    list_filter = (("created_at", DaysFilter),)
    search_fields = ("actor",)
    ordering = ("-number",)
    fields = ("number", "created_at", "who", "kinds")
    readonly_fields = fields

    def get_readonly_fields(
        self, request: HttpRequest, obj: object = None
    ) -> tuple[str, ...]:
        return self.fields

    @display(description="Who", ordering="actor")
    def who(self, revision: ConfigurationRevision) -> str:
        """Return the user's name, or where else the change came from."""
        return revision.actor or "Not in the admin (command, file or program)"

    @display(description="What was changed")
    def kinds(self, revision: ConfigurationRevision) -> str:
        """Return the kinds of rows in words."""
        return ", ".join(revision.changed)
