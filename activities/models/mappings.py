"""Saved ways of reading files."""

from django.db import models
from django.db.models import Q

from loyalty.models import Program


class UploadMapping(models.Model):
    """How files with one header are read; found again by that header.

    ``content`` holds what ``activities.services.uploads.mapping.values.Mapping``
    describes.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    name = models.CharField(
        max_length=100, help_text="What the files are, such as “Till export, weekly”."
    )
    header = models.JSONField(
        default=list, help_text="The names of the columns, as the files have them."
    )
    fingerprint = models.CharField(
        max_length=64,
        editable=False,
        help_text="Finds the mapping of a file by the names of its columns.",
    )
    content = models.JSONField(default=dict)
    updated_by = models.CharField(max_length=150, blank=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "file mapping"
        indexes = [models.Index(fields=["program", "fingerprint"])]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "name"],
                name="upload_mapping_name_once_per_program",
                violation_error_message="This program has a mapping with this name.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="upload_mapping_name_is_not_blank",
                violation_error_message="A mapping needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
