"""Pages of saved mappings: how files of one kind are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from unfold.decorators import display

from activities.models import UploadMapping
from activities.services import uploads
from activities.services.uploads.mapping.spelling import DATE_FORMATS
from activities.services.uploads.mapping.values import LABELS
from loyalty.admin.bases import ProgramAdmin
from loyalty.services import clock

if TYPE_CHECKING:
    from django.http import HttpRequest


class MappingForm(forms.ModelForm):
    """A mapping whose content makes sense."""

    def clean_content(self) -> dict[str, Any]:
        """Refuse what is not a mapping, with the part that is wrong."""
        content = self.cleaned_data["content"]
        if not isinstance(content, dict):
            raise forms.ValidationError("Must be a JSON object.")
        try:
            return uploads.mapping_of(content).as_json()
        except uploads.InvalidMapping as refusal:
            where = f" ({refusal.field})" if refusal.field else ""
            raise forms.ValidationError(f"{refusal.message}{where}") from None


@admin.register(UploadMapping)
class UploadMappingAdmin(ProgramAdmin):
    """How files with one header are read; made on the pages of uploads."""

    form = MappingForm
    list_display = ("name", "column_names", "updated_at", "updated_by")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("in_words", "column_names", "updated_at", "updated_by")
    fieldsets = (
        ("What", {"fields": ("program", "name", "column_names", "in_words")}),
        (
            "As the API has it",
            {"fields": ("content",), "classes": ("collapse",)},
        ),
        ("Last changed", {"fields": ("updated_at", "updated_by")}),
    )

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Mappings are saved where a file shows what they do."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: Any
    ) -> None:
        """Note who changed it."""
        obj.updated_by = request.user.get_username()[:150]
        obj.updated_at = clock.now()
        super().save_model(request, obj, form, change)

    @display(description="Columns of the file")
    def column_names(self, saved: UploadMapping) -> str:
        """Return the header by which it is found."""
        return ", ".join(name for name in saved.header if name)

    @display(description="How they are read")
    def in_words(self, saved: UploadMapping) -> str:
        """Return what the columns are and how cells are written."""
        mapping = uploads.mapping_of(saved.content)
        parts = [
            f"“{column}” is the {LABELS[name]}"
            for column, name in mapping.columns.items()
            if name in LABELS
        ]
        if mapping.date_format:
            parts.append(f"dates are like {DATE_FORMATS[mapping.date_format]}")
        if mapping.style is not None:
            parts.append(f"numbers are like {mapping.style.example}")
        parts += [f"{LABELS[name]}: {text}" for name, text in mapping.constants.items()]
        return "; ".join(parts) + "."
