"""Asking before something happens: one page for every action that needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from django import forms
    from django.http import HttpRequest
    from unfold.admin import ModelAdmin

CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Question:
    """What a person is asked: what will happen, to what, and the button's words."""

    title: str
    text: str
    button: str
    items: list[str] = field(default_factory=list)
    is_dangerous: bool = False


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether the person has said yes on the page that asked."""
    return request.method == "POST" and CONFIRMED in request.POST


def ask(
    request: HttpRequest,
    model_admin: ModelAdmin,
    question: Question,
    *,
    form: forms.Form | None = None,
    back: str = "",
    obj: Any = None,
) -> TemplateResponse:
    """Return the page that asks ``question``; its answer comes to this address."""
    carried = [
        (name, value)
        for name in ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
        for value in request.POST.getlist(name)
    ]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "form": form,
        "carried": carried,
        "back": back,
        "opts": model_admin.model._meta,
        "original": obj,
        "media": model_admin.media + (form.media if form else model_admin.media),
        "has_file_field": bool(form and form.is_multipart()),
    }
    return TemplateResponse(request, "admin/loyalty/confirm.html", context)
