"""Pages of the people who sign in, and of failed attempts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from loyalty.admin.deleting import QuickDelete
from loyalty.admin.versions import Versioned
from loyalty.models import StaffProgram

if TYPE_CHECKING:
    from django.http import HttpRequest

for model in (User, Group, AccessAttempt, AccessLog, AccessFailureLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class StaffProgramInline(TabularInline):
    """The programs that a member of staff is bound to."""

    model = StaffProgram
    extra = 0
    verbose_name = "program"
    verbose_name_plural = "Programs (none listed: every program)"
    tab = True


@admin.register(User)
class PeopleAdmin(QuickDelete, Versioned, UserAdmin, ModelAdmin):
    """Staff accounts."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_active", "is_staff")
    list_filter_submit = True
    inlines = (StaffProgramInline,)


@admin.register(Group)
class GroupsAdmin(QuickDelete, Versioned, GroupAdmin, ModelAdmin):
    """What kinds of staff may do."""


class SignInAdmin(QuickDelete, Versioned, ModelAdmin):
    """Attempts to sign in; written by the sign-in guard alone."""

    list_display: tuple[str, ...] = ("attempt_time", "username", "ip_address")
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    actions: tuple[str, ...] | None = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SignInAdmin):
    """Names and addresses that failed; deleting one unlocks it."""

    list_display = (*SignInAdmin.list_display, "failures_since_start")
    actions = ("delete_selected",)
    exclude = ("get_data", "post_data", "http_accept")


@admin.register(AccessLog, AccessFailureLog)
class AccessLogAdmin(SignInAdmin):
    """Who signed in and who failed to."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
