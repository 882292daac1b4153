"""Pages of backtests, and “Try it out”: seeing before acting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from activities import tasks
from activities.admin import backtest_form, backtest_page
from activities.admin.trying import try_page
from activities.models import Backtest
from activities.services.backtesting import (
    cancel_backtest,
    create_backtest,
    restart_backtest,
)
from loyalty.admin.bases import ReadOnlyAdmin
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import bar, points
from loyalty.admin.working_program import working_program
from loyalty.errors import LoyaltyError
from loyalty.services import clock
from loyalty.services.tables.escaping import csv_blocks

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


@admin.register(Backtest)
class BacktestAdmin(ReadOnlyAdmin):
    """Campaigns tried out on what members really did."""

    list_display = (
        "what",
        "period",
        "state",
        "how_far",
        "outcome",
        "asked_at",
        "actor",
    )
    list_display_links = ("what",)
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("campaigns__name",)
    search_help_text = "Part of a campaign's name."
    list_before_template = "admin/activities/backtests_before.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).defer("partial", "plan")
        return rows.prefetch_related("campaigns")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whoever may add backtests may ask for one, once there is a program."""
        may_add = request.user.has_perm("activities.add_backtest")
        return may_add and working_program(request) is not None

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of a backtest and “Try it out” to those of the list."""
        pages = (
            ("try/", self.try_out, "try"),
            ("<int:pk>/progress/", self.progress, "progress"),
            ("<int:pk>/winners/", self.winners, "winners"),
            ("<int:pk>/cancel/", self.cancel, "cancel"),
            ("<int:pk>/start-again/", self.start_again, "start_again"),
        )
        wrap = self.admin_site.admin_view
        own = [
            path(route, wrap(view), name=f"activities_backtest_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    @display(description="What is tested")
    def what(self, backtest: Backtest) -> str:
        """Return the names of the campaigns."""
        names = sorted(one.name for one in backtest.campaigns.all())
        if not names:
            return "The configuration as it stands"
        return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")

    @display(description="On what members did from", ordering="starts_at")
    def period(self, backtest: Backtest) -> str:
        """Return the days of the period."""
        return str(backtest_page.days_of(backtest))

    @display(
        description="Status",
        ordering="status",
        label={
            "Running": "info",
            "Waiting": "info",
            "Finished": "success",
            "Failed": "danger",
        },
    )
    def state(self, backtest: Backtest) -> str:
        """Return its step."""
        return backtest.get_status_display()

    @display(description="Progress")
    def how_far(self, backtest: Backtest) -> SafeString | str:
        """Return a bar while something goes on."""
        if backtest.status not in backtest_page.WORKING or not backtest.activity_count:
            return ""
        share = backtest.done_count / backtest.activity_count
        return bar(share, f"{min(share, 1):.0%}")

    @display(description="Points")
    def outcome(self, backtest: Backtest) -> str:
        """Return what the campaigns under test would have paid."""
        wallets = backtest.result.get("wallets", ())
        parts = [
            f"{points(one['points'], one['decimals'])} {one['name']}" for one in wallets
        ]
        return ", ".join(parts)

    @display(description="Asked for", ordering="created_at")
    def asked_at(self, backtest: Backtest) -> datetime:
        """Return when it was asked for."""
        return backtest.created_at

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form, or queue what it asks for."""
        program = working_program(request)
        if program is None or not self.has_add_permission(request):
            raise PermissionDenied
        form = backtest_form.BacktestForm(
            request.POST or None, program=program, initial=_initial(request)
        )
        if request.method == "POST" and request.POST.get("program") != str(program.pk):
            messages.warning(
                request, f"You work in “{program}” now; please choose once more."
            )
        elif request.method == "POST" and form.is_valid():
            return self._queue(request, form)
        context = {
            **self.admin_site.each_context(request),
            "title": "New backtest",
            "opts": self.model._meta,
            "program": program,
            "form": form,
            "history": form.history,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/activities/backtest_add.html", context)

    def _queue(self, request: HttpRequest, form: Any) -> HttpResponse:
        program = working_program(request)
        if program is None:
            raise PermissionDenied
        wanted = backtest_form.wanted_by(form, request.user)
        backtest = create_backtest(program, wanted, now=clock.now())
        tasks.enqueue_backtest(backtest.pk)
        self.log_addition(request, backtest, "Asked for a backtest.")
        return self.back_to(backtest)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how a backtest stands and what it found."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        backtest = self.get_object(request, object_id)
        if not isinstance(backtest, Backtest):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            **backtest_page.page_context(backtest),
            "title": f"Backtest: {self.what(backtest)}",
            "opts": self.model._meta,
            "original": backtest,
            "may_add": self.has_add_permission(request),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/activities/backtest.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the bar, for the page to put in place of the old one."""
        backtest = self._own(request, pk)
        context = backtest_page.progress_context(backtest)
        answer = render(request, "admin/activities/backtest_progress.html", context)
        answer["X-Upload-Stage"] = backtest.status
        answer["Cache-Control"] = "no-store"
        return answer

    def winners(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the members who would have won most as a file."""
        backtest = self._own(request, pk)
        answer = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="backtest-{pk}.csv"',
                "X-Content-Type-Options": "nosniff",
            },
        )
        rows: list[list[object]] = [["member_id", "member", "points", "awards"]]
        for member_id, name, total, awards in backtest_page.winners_of(backtest):
            rows.append([member_id, name, total.replace(",", ""), awards])
        answer.writelines(csv_blocks(rows))
        return answer

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then call a backtest off."""
        backtest = self._own(request, pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not is_confirmed(request) and backtest.status in backtest_page.WORKING:
            question = Question(
                "Cancel this backtest?",
                "What it has found so far is thrown away. Nothing else changes: a "
                "backtest never pays anything.",
                "Cancel the backtest",
            )
            back = self.address_of("change", pk)
            return ask(request, self, question, back=back, obj=backtest)
        try:
            cancel_backtest(backtest, now=clock.now())
        except LoyaltyError as refusal:
            messages.warning(request, refusal.message)
        else:
            self.message_of(request, "The backtest is cancelled.")
        return self.back_to(backtest)

    def start_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then let a backtest that failed run once more."""
        backtest = self._own(request, pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not is_confirmed(request):
            question = Question(
                "Start this backtest again?",
                "It goes on where it stopped. A backtest never pays anything.",
                "Start again",
            )
            back = self.address_of("change", pk)
            return ask(request, self, question, back=back, obj=backtest)
        try:
            restart_backtest(backtest)
        except LoyaltyError as refusal:
            messages.warning(request, refusal.message)
        else:
            tasks.enqueue_backtest(backtest.pk)
            self.message_of(request, "The backtest is started again.")
        return self.back_to(backtest)

    def try_out(self, request: HttpRequest) -> HttpResponse:
        """Show what one activity would earn."""
        return try_page(request, self)

    def _own(self, request: HttpRequest, pk: int) -> Backtest:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: Backtest = self.row_or_404(request, str(pk))
        return found


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Return what the address asks the form to propose."""
    chosen = [one for one in request.GET.getlist("campaigns") if one.isdigit()]
    found: dict[str, Any] = {"campaigns": chosen}
    for name in ("first", "last", "dates", "cost_per_point"):
        if request.GET.get(name):
            found[name] = request.GET[name]
    return found
