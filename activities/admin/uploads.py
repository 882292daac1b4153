"""Pages of uploads."""

from __future__ import annotations

from django.contrib import admin

from activities.models import Upload, UploadChunk, UploadRefusal
from loyalty.admin.bases import ReadOnlyAdmin


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Files of activities."""

    list_display = ("original_name", "status", "created_at")
    search_fields = ("original_name",)


@admin.register(UploadRefusal)
class UploadRefusalAdmin(ReadOnlyAdmin):
    """Rows of files that were refused."""

    program_path = "upload__program"
    list_display = ("upload", "line", "field", "message")
    list_select_related = ("upload",)


@admin.register(UploadChunk)
class UploadChunkAdmin(ReadOnlyAdmin):
    """Parts of files."""

    program_path = "upload__program"
    list_display = ("upload", "number", "status")
    list_select_related = ("upload",)
