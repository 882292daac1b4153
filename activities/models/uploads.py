"""Files of activities and how far their work has come."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from activities.models.mappings import UploadMapping
from loyalty.models import ActivityType, BusinessUnit, Channel, FileFormat, Program

UploadFormat = FileFormat


class UploadStatus(models.TextChoices):
    """The steps of an upload, in order."""

    UPLOADED = "uploaded", "Uploaded"
    VALIDATING = "validating", "Being checked"
    QUESTIONS = "questions", "Waiting for your answers"
    VALIDATED = "validated", "Checked, waiting for you"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Cannot be read"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


class UploadPhase(models.TextChoices):
    """What is being done within a step; its progress is counted from 0 anew."""

    NONE = "", "Nothing"
    READING = "reading", "Reading the file"
    SORTING = "sorting", "Sorting and looking for duplicates"
    TRYING = "trying", "Dry run"
    RECORDING = "recording", "Recording"
    UNDOING = "undoing", "Undoing"


class UnknownMemberPolicy(models.TextChoices):
    """What to do with a row whose member nobody knows."""

    REFUSE = "refuse", "Refuse the row"
    CREATE = "create", "Enrol the member"


class Upload(models.Model):
    """One file of activities, from its arrival to its end, or its undoing.

    The counters are of whole activities, not of lines. ``dry_run`` holds what
    the check found: see ``activities.services.uploads.validation``.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    file = models.FileField(upload_to="uploads/%Y/%m/", max_length=300)
    original_name = models.CharField("file name", max_length=255)
    format = models.CharField(max_length=8, choices=UploadFormat.choices)
    is_gzipped = models.BooleanField("gzipped", default=False)
    size_bytes = models.BigIntegerField("size (bytes)", default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    same_file_as = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="An earlier upload of the very same file.",
    )
    columns = models.JSONField(
        default=list, blank=True, help_text="The header of the file."
    )
    status = models.CharField(
        max_length=12, choices=UploadStatus.choices, default=UploadStatus.UPLOADED
    )
    source = models.CharField(
        max_length=20,
        default="api",
        help_text="Keys count once within a source; “api” are the receipts that "
        "tills and apps send. Rows that were recorded before under the same source "
        "are left out as duplicates.",
    )
    identity_kind = models.CharField(
        "members are named by",
        max_length=40,
        default="customer_id",
        help_text="The kind of identity in the member column.",
    )
    unknown_members = models.CharField(
        max_length=8,
        choices=UnknownMemberPolicy.choices,
        default=UnknownMemberPolicy.REFUSE,
    )
    default_activity_type = models.ForeignKey(
        ActivityType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="For rows that name none.",
    )
    default_channel = models.ForeignKey(
        Channel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="For rows that name none.",
    )
    default_business_unit = models.ForeignKey(
        BusinessUnit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="For rows that name none.",
    )
    mapping = models.JSONField(
        default=dict,
        blank=True,
        help_text="How its columns and cells are read. Empty: in the native format.",
    )
    saved_mapping = models.ForeignKey(
        UploadMapping,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The saved mapping that it is read with.",
    )
    sample = models.JSONField(
        default=dict, blank=True, help_text="Its header and its first rows."
    )
    questions = models.JSONField(
        default=list,
        blank=True,
        help_text="What a person must say before the check can go on.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    created_at = models.DateTimeField(help_text="When the file arrived.")
    validated_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker last made progress."
    )
    swept_at = models.DateTimeField(
        null=True, editable=False, help_text="When its work was last queued again."
    )
    # Who may go on checking: a worker that finds another number here stops.
    attempt = models.PositiveIntegerField(default=0, editable=False)
    # How often the check was begun since the file came, or somebody asked for it.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # Progress within the phase: bytes, chunks or activities. What was done before
    # the phase was (re)started does not count for its rate.
    phase = models.CharField(
        max_length=12, choices=UploadPhase.choices, default="", blank=True
    )
    phase_started_at = models.DateTimeField(null=True, blank=True)
    phase_offset = models.BigIntegerField(default=0)
    phase_done = models.BigIntegerField(default=0)
    phase_total = models.BigIntegerField(default=0)
    failure = models.TextField(
        blank=True, help_text="Why the file cannot be used, or its work stands still."
    )
    line_count = models.BigIntegerField("lines", default=0)
    activity_count = models.BigIntegerField(
        "activities", default=0, help_text="Those that can be recorded."
    )
    recorded_count = models.BigIntegerField("recorded", default=0)
    reversed_count = models.BigIntegerField("undone", default=0)
    refused_count = models.BigIntegerField("refused", default=0)
    duplicate_count = models.BigIntegerField("duplicates", default=0)
    dry_run = models.JSONField(default=dict, blank=True)

    class Meta:
        permissions = [("undo_own_upload", "Can undo files that they uploaded")]
        indexes = [
            models.Index(fields=["program", "sha256"]),
            models.Index(
                fields=["touched_at"],
                condition=Q(
                    status__in=["uploaded", "validating", "running", "undoing"]
                ),
                name="upload_under_way",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    line_count__gte=0,
                    activity_count__gte=0,
                    recorded_count__gte=0,
                    reversed_count__gte=0,
                    refused_count__gte=0,
                    duplicate_count__gte=0,
                ),
                name="upload_counts_are_not_negative",
                violation_error_message="Counts cannot be negative.",
            ),
            models.CheckConstraint(
                condition=~Q(source=""),
                name="upload_source_is_not_blank",
                violation_error_message="An upload needs a source.",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name


class UploadStep(models.Model):
    """Who moved an upload to another status, and when; written once."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="steps")
    status = models.CharField(max_length=12, choices=UploadStatus.choices)
    actor = models.CharField(max_length=150, blank=True)
    happened_at = models.DateTimeField()
    reason = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text="Why a file was undone, if somebody said.",
    )

    class Meta:
        indexes = [models.Index(fields=["upload", "id"])]

    def __str__(self) -> str:
        return f"Upload {self.upload_id} {self.status}"


class UploadRow(models.Model):
    """One parsed activity of a file, waiting for its chunk; gone when it is done.

    ``payload`` is the rest of the normalised command as JSON; see
    ``activities.services.uploads.payloads`` for its shape. The index puts the
    rows of an upload into the order in which they are decided: by member, moment
    and key.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE)
    line = models.BigIntegerField(help_text="The first line of it in the file.")
    member_value = models.CharField(max_length=255, db_collation="C")
    occurred_at = models.DateTimeField()
    key = models.CharField(max_length=255, db_collation="C")
    payload = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["upload", "member_value", "occurred_at", "key"]),
            models.Index(fields=["upload", "key"]),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}"


class ChunkStatus(models.TextChoices):
    """How far a chunk is."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    UNDONE = "undone", "Undone"


class UploadChunk(models.Model):
    """A range of members whose rows are committed together with this mark.

    A member's rows are never parted, so chunks can run on any worker in any order
    and every member's activities are still decided in order of time.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first_member = models.CharField(max_length=255, db_collation="C")
    last_member = models.CharField(max_length=255, db_collation="C")
    status = models.CharField(
        max_length=8, choices=ChunkStatus.choices, default=ChunkStatus.PENDING
    )
    row_count = models.PositiveIntegerField()
    # How often a worker began to record or undo it since that last went well.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    claimed_at = models.DateTimeField(null=True)
    recorded_count = models.PositiveIntegerField(default=0)
    duplicate_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    reversed_count = models.PositiveIntegerField(default=0)
    activity_ids = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="What it recorded, so that exactly that can be undone.",
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "number"], name="chunk_number_once_per_upload"
            ),
        ]
        indexes = [
            models.Index(fields=["upload", "status", "number"]),
        ]

    def __str__(self) -> str:
        return f"Chunk {self.number} of upload {self.upload_id}"


class UploadRefusal(models.Model):
    """One refused row: where it stands, what is wrong and what it said.

    ``raw`` holds the lines of the whole activity: for CSV, Parquet and XLSX one
    object by column for each line, for JSON Lines ``{"text": line}``.
    """

    upload = models.ForeignKey(
        Upload, on_delete=models.CASCADE, related_name="refusals"
    )
    line = models.BigIntegerField()
    field = models.CharField(max_length=60, blank=True)
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=500)
    raw = models.JSONField(
        default=list, help_text="The rows of the activity as they stood in the file."
    )

    class Meta:
        indexes = [models.Index(fields=["upload", "line"])]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"
