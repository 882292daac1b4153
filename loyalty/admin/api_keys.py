"""Pages of API keys: the secret is shown once, right after the key is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone
from rest_framework_api_key.models import APIKey
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from loyalty.admin.bases import ProgramAdmin
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.models import ApiKey

if TYPE_CHECKING:
    from django import forms
    from django.http import HttpRequest, HttpResponse


if admin.site.is_registered(APIKey):
    # Its keys belong to no program and open nothing.
    admin.site.unregister(APIKey)


@admin.register(ApiKey)
class ApiKeyAdmin(ProgramAdmin):
    """Who may call, for which units and verbs."""

    list_display = (
        "name",
        "prefix",
        "state",
        "can_read",
        "can_write",
        "can_interact",
        "expiry_date",
        "created",
    )
    list_filter = ("revoked", "can_read", "can_write", "can_interact")
    search_fields = ("name", "prefix")
    ordering = ("-created",)
    autocomplete_fields = ("business_units",)
    actions_detail = ("revoke",)
    actions = None
    readonly_fields = ("prefix", "state", "created")
    fieldsets = (
        ("What", {"fields": ("program", "name", "prefix", "state", "created")}),
        (
            "Who",
            {"fields": (("can_read", "can_write"), "can_interact", "business_units")},
        ),
        ("When", {"fields": ("expiry_date",)}),
    )
    add_fieldsets = (
        ("What", {"fields": ("program", "name")}),
        (
            "Who",
            {"fields": (("can_read", "can_write"), "can_interact", "business_units")},
        ),
        ("When", {"fields": ("expiry_date",)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are revoked, so that the log keeps their names."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revoked key stays as it is."""
        is_revoked = isinstance(obj, ApiKey) and obj.revoked
        return super().has_change_permission(request, obj) and not is_revoked

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiKey,
        form: forms.ModelForm,
        change: bool,  # noqa: FBT001 (Django's signature)
    ) -> None:
        """Make the secret of a new key; only its hash is stored."""
        if not change:
            request._secret = ApiKey.objects.assign_key(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret on this answer and nowhere else."""
        secret: str = request._secret  # type: ignore[attr-defined]
        client_id, _, client_secret = secret.partition(".")
        context = {
            **self.admin_site.each_context(request),
            "title": f"API key “{obj.name}”",
            "secret": secret,
            "client_id": client_id,
            "client_secret": client_secret,
            "key": obj,
            "back": self.address_of("changelist"),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/loyalty/api_key_created.html", context)

    @display(
        description="State",
        label={"Valid": "success", "Expired": "warning", "Revoked": "danger"},
    )
    def state(self, key: ApiKey) -> str:
        """Return whether the key opens anything now."""
        if key.revoked:
            return "Revoked"
        has_expired = key.expiry_date is not None and key.expiry_date <= timezone.now()
        return "Expired" if has_expired else "Valid"

    @action(
        description="Revoke",
        permissions=["change"],
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close the key for good."""
        key = self.row_or_404(request, object_id)
        if not is_confirmed(request):
            question = Question(
                f"Revoke “{key.name}”?",
                "Calls with this key are refused from now on. This cannot be undone; a "
                "new key can be made at any time.",
                "Revoke the key",
                is_dangerous=True,
            )
            back = self.address_of("change", key.pk)
            return ask(request, self, question, back=back, obj=key)
        key.revoked = True
        key.save(update_fields=["revoked"])
        self.log_change(request, key, "Revoked.")
        self.message_of(request, f"The key “{key.name}” is revoked.")
        return self.back_to(key)
