"""Voucher types: what vouchers are worth, and the lists of codes they may take."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from loyalty.models.programme import Program


class VoucherKind(models.TextChoices):
    """What a voucher is worth."""

    BASKET = "basket", "An amount off the basket"
    PERCENTAGE = "percentage", "A share off the basket"
    PERK = "perk", "A perk: something the till honours"
    PER_UNIT = "per_unit", "An amount off each unit"


# Kinds that can be redeemed in part, if they have an amount.
DIVISIBLE_KINDS = frozenset({VoucherKind.BASKET.value, VoucherKind.PERK.value})


# A century: what ends later may end after the last moment that can be told.
EXPIRY_DAYS_MAX = 36_500


class CodeSource(models.TextChoices):
    """Where the codes of a type come from."""

    GENERATED = "generated", "Made when a voucher is given"
    LISTED = "listed", "Taken from a list: uploaded or made in advance"


class VoucherType(models.Model):
    """What vouchers of one sort are worth, how long, and where their codes are from.

    Every voucher keeps the worth it was given with: a change is for later ones.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.SlugField(max_length=50, help_text="The key that answers use.")
    name = models.CharField(max_length=100, help_text="For staff; members see titles.")
    kind = models.CharField(
        max_length=12,
        choices=VoucherKind.choices,
        default=VoucherKind.BASKET,
        help_text="Fixed once vouchers were given.",
    )
    amount = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="In money. A perk may go without.",
    )
    discount_ratio = models.DecimalField(
        "share",
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="0.15 is 15 %; 1 is the whole basket.",
    )
    currency = models.CharField(
        max_length=3,
        blank=True,
        help_text="ISO code, for example EUR. Fixed once vouchers were given.",
    )
    expiry_days = models.PositiveIntegerField(
        "valid for (days)",
        null=True,
        blank=True,
        help_text="So many times 24 hours from when it is given. Empty: no limit.",
    )
    expires_at = models.DateTimeField(
        "valid until",
        null=True,
        blank=True,
        help_text="The first instant at which none is valid any more; with both, the "
        "earlier counts. Vouchers that were given keep their own.",
    )
    claimed_by_default = models.BooleanField(
        "can be redeemed at once",
        default=False,
        help_text="Otherwise it must be claimed first.",
    )
    allows_member_to_claim = models.BooleanField(
        "members may claim",
        default=True,
        help_text="Otherwise only staff and client apps with rights of staff may.",
    )
    codes = models.CharField(
        max_length=10,
        choices=CodeSource.choices,
        default=CodeSource.GENERATED,
        help_text="Fixed once there are codes. With a list, nothing is given when it "
        "is used up.",
    )
    prefix = models.CharField(
        max_length=12,
        blank=True,
        help_text="What every code that is made begins with: capitals, digits and "
        "hyphens, for example XMAS-.",
    )
    title = models.CharField(max_length=200, blank=True, help_text="Shown to members.")
    description = models.TextField(blank=True, help_text="Shown to members.")
    image_url = models.URLField("image", max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="voucher_type_code_once_per_program",
                violation_error_message="This program has a voucher type with this "
                "code.",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[VoucherKind.BASKET.value, VoucherKind.PER_UNIT.value],
                    amount__isnull=False,
                    amount__gt=0,
                    discount_ratio__isnull=True,
                )
                | Q(
                    kind=VoucherKind.PERCENTAGE.value,
                    amount__isnull=True,
                    discount_ratio__isnull=False,
                    discount_ratio__gt=0,
                    discount_ratio__lte=1,
                )
                | Q(kind=VoucherKind.PERK.value, discount_ratio__isnull=True)
                & (Q(amount__isnull=True) | Q(amount__gt=0)),
                name="voucher_type_worth_fits_its_kind",
                violation_error_message="An amount off the basket or off each unit "
                "needs an amount above zero and no share; a share off the basket needs "
                "a share above 0 and up to 1 and no amount; a perk has no share.",
            ),
            models.CheckConstraint(
                condition=Q(expiry_days__isnull=True) | Q(expiry_days__gte=1),
                name="voucher_type_is_valid_for_a_day",
                violation_error_message="A voucher is valid for at least one day.",
            ),
            models.CheckConstraint(
                condition=Q(expiry_days__isnull=True)
                | Q(expiry_days__lte=EXPIRY_DAYS_MAX),
                name="voucher_type_ends_within_a_century",
                violation_error_message="A voucher is valid for at most 36,500 days; "
                "leave it empty for no limit.",
            ),
            models.CheckConstraint(
                condition=Q(currency="") | Q(currency__regex=r"^[A-Z]{3}$"),
                name="voucher_type_currency_is_an_iso_code",
                violation_error_message="A currency is three capitals, such as EUR.",
            ),
            models.CheckConstraint(
                condition=Q(prefix__regex=r"^[A-Z0-9-]*$"),
                name="voucher_type_prefix_is_easy_to_type",
                violation_error_message="A prefix is made of capitals A to Z, digits "
                "and hyphens.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse to change what vouchers that exist depend on.

        Raises:
            ValidationError: naming each field that is fixed.
        """
        super().clean()
        if self._state.adding:
            return
        if not (self.vouchers.exists() or self.code_jobs.exists()):
            return
        stored = VoucherType.objects.get(pk=self.pk)
        fixed = ("kind", "codes", "currency")
        changed = [
            name for name in fixed if getattr(stored, name) != getattr(self, name)
        ]
        if changed:
            raise ValidationError(
                dict.fromkeys(
                    changed, "Fixed: there are vouchers or codes of this type."
                )
            )


class VoucherStock(models.Model):
    """How many listed codes of a type are left; locked while codes are given out.

    The database opens the row with the type, so that giving codes revises no
    configuration.
    """

    voucher_type = models.OneToOneField(
        VoucherType, on_delete=models.CASCADE, primary_key=True, related_name="stock"
    )
    codes_left = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(codes_left__gte=0),
                name="voucher_stock_is_never_oversold",
                violation_error_message="Fewer codes are left than that.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.codes_left} codes of {self.voucher_type_id}"


class CodeJobKind(models.TextChoices):
    """Where the codes of a job come from."""

    GENERATE = "generate", "Make codes"
    UPLOAD = "upload", "Read a file of codes"


class CodeJobStatus(models.TextChoices):
    """The steps of a job, in order."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"


class VoucherCodeJob(models.Model):
    """Codes being added to a type's list, by generation or from a file.

    Each step commits its codes together with the counters here, so that a job
    that was killed goes on where it stopped. ``read_count`` counts lines of the
    file that are done with.
    """

    voucher_type = models.ForeignKey(
        VoucherType, on_delete=models.PROTECT, related_name="code_jobs"
    )
    kind = models.CharField(max_length=10, choices=CodeJobKind.choices)
    status = models.CharField(
        max_length=10, choices=CodeJobStatus.choices, default=CodeJobStatus.WAITING
    )
    asked_count = models.PositiveIntegerField(
        "codes asked for", null=True, help_text="Of a file: known when it was read."
    )
    added_count = models.PositiveIntegerField("codes added", default=0)
    read_count = models.PositiveIntegerField("lines read", default=0)
    duplicate_count = models.PositiveIntegerField("codes there already", default=0)
    file = models.FileField(
        upload_to="voucher-codes/%Y/%m/", max_length=300, blank=True
    )
    original_name = models.CharField("file name", max_length=255, blank=True)
    has_heading = models.BooleanField("the first line is a heading", default=False)
    error = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(
        null=True, help_text="When the last step was committed."
    )
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # How often it was begun since it last added codes.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = "list of codes"
        verbose_name_plural = "lists of codes"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=CodeJobKind.UPLOAD.value)
                | Q(
                    kind=CodeJobKind.GENERATE.value,
                    asked_count__isnull=False,
                    asked_count__gte=1,
                    added_count__lte=F("asked_count"),
                ),
                name="code_job_never_adds_more_than_asked",
                violation_error_message="A job makes at least one code, and never more "
                "than it was asked for.",
            ),
            models.CheckConstraint(
                condition=~Q(status=CodeJobStatus.FAILED.value) | ~Q(error=""),
                name="code_job_failed_says_why",
                violation_error_message="A job that failed says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
