"""Pages of members' apps, and of members and staff who are logged in to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from activities.models import LoginSession, MemberApp
from activities.services.logins import STAFF_LASTS, end_login, log_in_staff
from loyalty.admin.bases import ProgramAdmin, ReadOnlyAdmin
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import link, name_of
from loyalty.admin.working_program import working_program
from loyalty.models import Program
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import ForeignKey, QuerySet
    from django.http import HttpRequest, HttpResponse

_HOURS = int(STAFF_LASTS.total_seconds() // 3600)


@admin.register(MemberApp)
class MemberAppAdmin(ProgramAdmin):
    """Apps from which members call by themselves: this program's and nobody's."""

    list_display = ("hostname", "owner")
    list_select_related = ("program",)
    search_fields = ("hostname",)
    ordering = ("hostname",)
    fields = ("hostname", "program")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return this program's apps, and those that belong to nobody."""
        mine = Q(program=working_program(request)) | Q(program__isnull=True)
        return MemberApp.objects.filter(mine)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField | None:
        """Offer this program, or nobody."""
        program = working_program(request)
        return forms.ModelChoiceField(
            Program.objects.filter(pk__in=[program.pk] if program else []),
            initial=program,
            required=False,
            empty_label="Nobody",
            widget=UnfoldAdminSelectWidget(),
            help_text=str(db_field.help_text),
        )

    @display(description="Belongs to")
    def owner(self, app: MemberApp) -> str:
        """Return whose members use it."""
        return str(app.program) if app.program else "Nobody: calls are refused"


@admin.register(LoginSession)
class LoginSessionAdmin(ReadOnlyAdmin):
    """Who is logged in: members of this program, and staff."""

    program_path = "member__program"

    list_display = ("person", "role", "opened_by", "opened_at", "expires_at", "state")
    list_select_related = ("member", "user")
    search_fields = ("user__username", "member__identities__value__exact")
    search_help_text = "A name of the staff, or a whole identity of a member."
    fields = list_display
    readonly_fields = list_display
    actions_detail = ("log_out",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return sessions of this program's members, and of staff."""
        mine = Q(member__program=working_program(request)) | Q(user__isnull=False)
        rows = LoginSession.objects.filter(mine)
        return rows.prefetch_related("member__identities")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whoever may interact may log in to do so."""
        return bool(request.user.has_perm("activities.interact"))

    def has_log_out_permission(
        self, request: HttpRequest, object_id: str | int | None = None
    ) -> bool:
        """Staff end their own sessions; others need the permission to delete."""
        if request.user.has_perm("activities.delete_loginsession"):
            return True
        own = LoginSession.objects.filter(pk=object_id or 0, user=request.user)  # type: ignore[misc]
        return own.exists()

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Open a session for the person who asks, and show its key once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not is_confirmed(request):
            question = Question(
                "Log in to a client?",
                "A client that speaks Spaaza's protocol can then interact with "
                f"campaigns for members in your name, for {_HOURS} hours. What it "
                "does is kept under your name.",
                "Open the session",
            )
            back = self.address_of("changelist")
            return ask(request, self, question, back=back)
        opened = log_in_staff(
            request.user,  # type: ignore[arg-type]
            opened_by=f"{request.user.get_username()} in the admin",
            now=clock.now(),
        )
        self.log_addition(request, opened.session, "Logged in.")
        context = {
            **self.admin_site.each_context(request),
            "title": "Your session",
            "opened": opened,
            "back": self.address_of("changelist"),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/activities/login_opened.html", context)

    @display(description="Who")
    def person(self, session: LoginSession) -> object:
        """Return whose session it is."""
        if session.member is None:
            return str(session.user)
        return link(session.member, name_of(session.member))

    @display(description="As", label={"Member": "info", "Staff": "warning"})
    def role(self, session: LoginSession) -> str:
        """Return what the person is."""
        return "Staff" if session.member_id is None else "Member"

    @display(description="State", label={"Open": "success", "Ended": "danger"})
    def state(self, session: LoginSession) -> str:
        """Return whether the key opens anything now."""
        return "Open" if session.expires_at > clock.now() else "Ended"

    @action(
        description="Log out",
        permissions=["log_out"],
        icon="logout",
        variant=ActionVariant.DANGER,
    )
    def log_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the session."""
        session = self.row_or_404(request, object_id)
        if not is_confirmed(request):
            question = Question(
                "End this session?",
                "Calls with its key are refused from now on.",
                "End the session",
                is_dangerous=True,
            )
            back = self.address_of("change", session.pk)
            return ask(request, self, question, back=back, obj=session)
        self.log_deletions(request, [session])
        end_login(session)
        self.message_of(request, "The session has ended.")
        return HttpResponseRedirect(self.address_of("changelist"))
