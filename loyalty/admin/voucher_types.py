"""Pages of voucher types: what vouchers are worth, and their lists of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from loyalty import tasks
from loyalty.admin.bases import ProgramAdmin, where_chosen
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import list_page, money, number
from loyalty.admin.lists import (
    USED_ALREADY,
    NamesFileForm,
    forget_file,
    show_file,
    shown_file,
)
from loyalty.admin.moments import last_day
from loyalty.errors import LoyaltyError
from loyalty.models import (
    CodeJobKind,
    CodeJobStatus,
    CodeSource,
    Voucher,
    VoucherCodeJob,
    VoucherKind,
    VoucherType,
)
from loyalty.services import clock, vouchers
from loyalty.services.lists import UnreadableList

if TYPE_CHECKING:
    from decimal import Decimal

    from django.db.models import QuerySet
    from django.http import HttpRequest

_JOBS_SHOWN = 10
_WORKING = (CodeJobStatus.WAITING.value, CodeJobStatus.RUNNING.value)


class NewCodesForm(forms.Form):
    """How many codes to make."""

    count = forms.IntegerField(
        label="How many codes",
        min_value=1,
        max_value=vouchers.CODES_MAX,
        help_text=f"1 to {vouchers.CODES_MAX:,}. A million takes about half a minute; "
        "you may leave the page meanwhile.",
        widget=UnfoldAdminIntegerFieldWidget,
    )


class UnusedCodesForm(forms.Form):
    """Which codes are taken off the list."""

    codes = forms.CharField(
        label="Only these codes",
        required=False,
        help_text="One per line. Leave it empty to remove every code that nobody has.",
        widget=UnfoldAdminTextareaWidget,
    )


class CodesFileForm(NamesFileForm):
    """A file of codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say what may stand in it."""
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = (
            "Text, CSV or Excel: one code per line, in the first column. "
            "Letters, digits and signs; no blanks and no slashes."
        )


def worth(voucher_type: VoucherType) -> str:
    """Return what a voucher of the type is worth, in words."""
    return worth_in_words(
        voucher_type,
        amount=voucher_type.amount,
        ratio=voucher_type.discount_ratio,
    )


def worth_in_words(
    voucher_type: VoucherType, *, amount: Decimal | None, ratio: Decimal | None
) -> str:
    """Return an amount or a share in the words of the type's kind."""
    if ratio is not None:
        return f"{number(ratio * 100)} % off the basket"
    if amount is None:
        return "a perk" if voucher_type.kind == VoucherKind.PERK else "–"
    text = f"{money(amount)} {voucher_type.currency}".strip()
    return {
        VoucherKind.BASKET: f"{text} off the basket",
        VoucherKind.PER_UNIT: f"{text} off each unit",
    }.get(VoucherKind(voucher_type.kind), f"a perk worth {text}")


@admin.register(VoucherType)
class VoucherTypeAdmin(ProgramAdmin):
    """What members can get as a voucher."""

    list_display = ("name", "code", "worth_shown", "validity", "codes_left")
    list_filter = ("kind", "codes")
    list_select_related = ("stock",)
    search_fields = ("name", "code", "title")
    ordering = ("name",)
    actions = None
    actions_detail = ("show_vouchers", "make_codes", "upload_codes", "remove_codes")
    change_form_before_template = "admin/loyalty/voucher_codes.html"
    conditional_fields = {
        "amount": where_chosen("kind", "kind != 'percentage'"),
        "discount_ratio": where_chosen("kind", "kind == 'percentage'"),
        "currency": where_chosen("kind", "kind != 'percentage'"),
    }
    fieldsets = (
        ("What", {"fields": ("program", "name", "code")}),
        (
            "What it is worth",
            {"fields": ("kind", "amount", "discount_ratio", "currency")},
        ),
        ("What members see", {"fields": ("title", "description", "image_url")}),
        ("How long it is valid", {"fields": ("expiry_days", "expires_at")}),
        (
            "Who may claim it",
            {"fields": ("claimed_by_default", "allows_member_to_claim")},
        ),
        ("Where its codes come from", {"fields": ("codes", "prefix")}),
    )

    def get_urls(self) -> list[Any]:
        """Add the bar that the page puts in place of the old one, and a step."""
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/progress/",
                wrap(self.progress),
                name="loyalty_vouchertype_progress",
            ),
            path(
                "<int:pk>/codes/<int:job>/start-again/",
                wrap(self.start_again),
                name="loyalty_vouchertype_start_again",
            ),
            *super().get_urls(),
        ]

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: VoucherType | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the list of codes above the form."""
        extra = dict(extra_context or {})
        if object_id and object_id.isdigit():
            voucher_type = self.get_queryset(request).filter(pk=object_id).first()
            if voucher_type is not None:
                extra |= codes_context(voucher_type)
        return super().changeform_view(request, object_id, form_url, extra)

    @display(description="Worth", ordering="amount")
    def worth_shown(self, voucher_type: VoucherType) -> str:
        """Return what it is worth."""
        return worth(voucher_type)

    @display(description="Valid")
    def validity(self, voucher_type: VoucherType) -> str:
        """Return how long it is valid."""
        parts = []
        if voucher_type.expiry_days is not None:
            days = "day" if voucher_type.expiry_days == 1 else "days"
            parts.append(f"{voucher_type.expiry_days:,} {days}")
        if voucher_type.expires_at is not None:
            parts.append(f"through {last_day(voucher_type.expires_at)}")
        return ", at most ".join(parts) or "for ever"

    @display(description="Codes left")
    def codes_left(self, voucher_type: VoucherType) -> str:
        """Return what is left of the list; a type without one never runs out."""
        if voucher_type.codes != CodeSource.LISTED:
            return "made when given"
        return f"{voucher_type.stock.codes_left:,}"

    def has_fill_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may add codes, and the type has a list."""
        if not request.user.has_perm("loyalty.add_vouchercodejob"):
            return False
        rows = VoucherType.objects.filter(pk=obj, codes=CodeSource.LISTED)
        return not str(obj or "").isdigit() or rows.exists()

    @action(description="Vouchers", permissions=["view"], icon="confirmation_number")
    def show_vouchers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the vouchers of this type."""
        found = self.row_or_404(request, object_id)
        address = list_page(Voucher, voucher_type__id__exact=found.pk)
        return HttpResponse(status=302, headers={"Location": address})

    @action(description="Make codes", permissions=["fill"], icon="add_circle")
    def make_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how many codes, then make them in the background."""
        found = self.row_or_404(request, object_id)
        form = NewCodesForm(request.POST if is_confirmed(request) else None)
        if is_confirmed(request) and form.is_valid():
            count = form.cleaned_data["count"]
            with transaction.atomic():
                job = vouchers.ask_for_codes(
                    found, count, user=self._person(request), now=clock.now()
                )
                tasks.enqueue_code_job(job.pk)
            self.log_change(request, found, f"Asked for {count:,} codes.")
            self.message_of(request, f"{count:,} codes are being made.")
            return self.back_to(found)
        question = Question(
            f"Make codes for “{found}”",
            f"{found.stock.codes_left:,} codes of its list are left. Each new one "
            "cannot be guessed and is given to one member only.",
            "Make codes",
        )
        return ask(
            request,
            self,
            question,
            form=form,
            back=self.address_of("change", found.pk),
            obj=found,
        )

    @action(description="Upload codes", permissions=["fill"], icon="upload_file")
    def upload_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a file of codes and read it in the background."""
        found = self.row_or_404(request, object_id)
        back = self.address_of("change", found.pk)
        if is_confirmed(request) and "token" in request.POST:
            return self._take_codes(request, found)
        posted = (request.POST, request.FILES) if is_confirmed(request) else ()
        form = CodesFileForm(*posted)
        if is_confirmed(request) and form.is_valid():
            try:
                shown, lines = show_file(
                    request, form.cleaned_data, purpose=f"codes {found.pk}"
                )
            except UnreadableList as refusal:
                form.add_error("file", refusal.message)
            else:
                question = Question(
                    f"Add these codes to “{found}”?",
                    "This is how the file begins. Existing codes are skipped. If any "
                    "line cannot be read, nothing is added.",
                    "Add the codes",
                    lines,
                )
                return ask(request, self, question, form=shown, back=back, obj=found)
        question = Question(
            f"Upload codes for “{found}”",
            f"{found.stock.codes_left:,} codes of its list are left. First you see how "
            "the file begins; nothing is added before you confirm.",
            "Show the codes",
        )
        return ask(request, self, question, form=form, back=back, obj=found)

    def _take_codes(self, request: HttpRequest, found: VoucherType) -> HttpResponse:
        shown = shown_file(request, purpose=f"codes {found.pk}")
        if shown is None:
            self.message_user(request, USED_ALREADY, messages.WARNING)
            return self.back_to(found)
        with default_storage.open(shown.path) as file, transaction.atomic():
            job = vouchers.upload_codes(
                found,
                File(file, name=shown.name),
                has_heading="has_heading" in request.POST,
                user=self._person(request),
                now=clock.now(),
            )
            tasks.enqueue_code_job(job.pk)
        forget_file(request)
        self.log_change(request, found, f"Uploaded codes: {job.original_name}.")
        self.message_of(request, f"“{job.original_name}” is being read.")
        return self.back_to(found)

    @action(description="Remove unused codes", permissions=["fill"], icon="delete")
    def remove_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take codes off the list that nobody was given."""
        found = self.row_or_404(request, object_id)
        form = UnusedCodesForm(request.POST if is_confirmed(request) else None)
        if is_confirmed(request) and form.is_valid():
            lines = form.cleaned_data["codes"].splitlines()
            only = [line.strip() for line in lines if line.strip()]
            count = vouchers.remove_unused_codes(found, only=only)
            text = f"{count:,} unused code{'s' if count != 1 else ''} removed."
            self.log_change(request, found, text)
            self.message_of(request, text)
            return self.back_to(found)
        question = Question(
            f"Remove unused codes of “{found}”?",
            f"{found.stock.codes_left:,} codes of its list are left. Codes that "
            "members were given stay.",
            "Remove the codes",
            is_dangerous=True,
        )
        back = self.address_of("change", found.pk)
        return ask(request, self, question, form=form, back=back, obj=found)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the jobs, for the page to put in place of the old ones."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = codes_context(self.row_or_404(request, str(pk)))
        answer = render(request, "admin/loyalty/voucher_code_jobs.html", context)
        answer["X-Upload-Stage"] = context["stage"]
        answer["Cache-Control"] = "no-store"
        return answer

    def start_again(self, request: HttpRequest, pk: int, job: int) -> HttpResponse:
        """Ask, then let codes that failed to be added be added after all."""
        found = self.row_or_404(request, str(pk))
        if not self.has_fill_permission(request, pk):
            raise PermissionDenied
        row = get_object_or_404(VoucherCodeJob, pk=job, voucher_type=found)
        if not is_confirmed(request):
            question = Question(
                "Start this again?",
                f"It goes on where it stood: {row.added_count:,} codes were added. "
                "No code is added twice.",
                "Start again",
            )
            back = self.address_of("change", found.pk)
            return ask(request, self, question, back=back, obj=found)
        try:
            vouchers.restart_code_job(row)
        except LoyaltyError as refusal:
            messages.warning(request, refusal.message)
        else:
            tasks.enqueue_code_job(row.pk)
            self.log_change(request, found, "Started a list of codes again.")
            self.message_of(request, "The codes are being added.")
        return self.back_to(found)

    @staticmethod
    def _person(request: HttpRequest) -> Any:
        return request.user


def codes_context(voucher_type: VoucherType) -> dict[str, Any]:
    """Return what the page of a type shows of its list."""
    if voucher_type.codes != CodeSource.LISTED:
        return {}
    rows: QuerySet[VoucherCodeJob] = VoucherCodeJob.objects.filter(
        voucher_type=voucher_type
    ).select_related("created_by")
    jobs = list(rows.order_by("-pk")[:_JOBS_SHOWN])
    is_working = any(job.status in _WORKING for job in jobs)
    return {
        "voucher_type": voucher_type,
        "jobs": [(job, _percent(job), _can_restart(job)) for job in jobs],
        "is_working": is_working,
        "stage": "working" if is_working else "done",
        "codes_left": voucher_type.stock.codes_left,
    }


def _can_restart(job: VoucherCodeJob) -> bool:
    is_file_gone = job.kind == CodeJobKind.UPLOAD and not job.file
    return job.status == CodeJobStatus.FAILED and not is_file_gone


def _percent(job: VoucherCodeJob) -> int:
    done = job.added_count if job.asked_count and not job.read_count else job.read_count
    return min(100, done * 100 // job.asked_count) if job.asked_count else 0
