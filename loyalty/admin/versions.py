"""Forms that never overwrite silently what somebody else saved meanwhile.

A page carries a digest of every value that it showed, those of the rows edited with
it included. When it is saved, the row is locked and the digests are compared with
what is stored now: values that differ were changed after the page was opened, and
the save is refused with their names, their values and who changed them. What was
typed stays in the boxes; saving once more overwrites on purpose.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Manager, Model, QuerySet
from django.forms import ChoiceField, ModelChoiceField, model_to_dict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, localize
from django.utils.text import capfirst

from loyalty.models import ConfigurationRevision

if TYPE_CHECKING:
    from django.forms import BaseInlineFormSet, Field, ModelForm
    from django.http import HttpRequest, HttpResponse

VERSION = "_version"
_SHOWN_MAX = 12


class Versioned:
    """Mixin for pages with a form, before the theme's class."""

    change_form_before_template = "admin/loyalty/errors.html"

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row; locked, where it is about to be saved."""
        if request.method == "POST" and connection.in_atomic_block:
            rows = self.model._base_manager.filter(pk=unquote(object_id))  # type: ignore[attr-defined]
            rows.select_for_update(no_key=True).order_by().first()
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        """Return a form that compares what the page showed with what is stored."""
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        request: HttpRequest = args[0]
        if not kwargs.get("change") or request.method != "POST":
            return form

        class Comparing(form):  # type: ignore[misc, valid-type]
            def _clean_form(self) -> None:
                super()._clean_form()
                _compare(request, self)

        return Comparing

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:  # noqa: FBT001
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        request._version_formsets = formsets  # type: ignore[attr-defined]
        return formsets, inlines

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Put the digests of what is stored now onto the page."""
        row = context.get("original")
        if row is not None and self.has_change_permission(request, row):  # type: ignore[attr-defined]
            state = getattr(request, "_version_state", None)
            if state is None:
                state = _state(context["adminform"].form, _formsets_of(request))
            context["version"] = _packed(state)
        answer: HttpResponse = super().render_change_form(  # type: ignore[misc]
            request, context, *args, **kwargs
        )
        return answer


def _formsets_of(request: HttpRequest) -> list[BaseInlineFormSet]:
    formsets: list[BaseInlineFormSet] = getattr(request, "_version_formsets", [])
    return formsets


def _compare(request: HttpRequest, form: ModelForm) -> None:
    formsets = _formsets_of(request)
    state = _state(form, formsets)
    request._version_state = state  # type: ignore[attr-defined]
    shown = _unpacked(request.POST.get(VERSION, ""))
    if shown is None:
        return
    since, seen = shown
    changed = [name for name in {**seen, **state} if seen.get(name) != state.get(name)]
    if changed:
        facts = _facts(form, formsets, changed)
        who = _who(form.instance, since, request)
        form.add_error(None, ValidationError(_sentence(who, facts)))


def _state(form: ModelForm, formsets: list[BaseInlineFormSet]) -> dict[str, str]:
    """Return a digest of each value that is stored now, by the field's path."""
    state = {
        name: _digest(form.initial.get(name))
        for name in form.fields
        if name in form.initial
    }
    for formset in formsets:
        names = list(formset.form.base_fields)
        for row in formset.get_queryset():
            if row.pk is not None:
                values = model_to_dict(row, fields=names)
                state |= {
                    f"{formset.prefix}.{row.pk}.{name}": _digest(value)
                    for name, value in values.items()
                }
    return state


def _digest(value: Any) -> str:
    return blake2s(_plain(value).encode(), digest_size=5).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, list | tuple | set | QuerySet | Manager):
        rows = value.all() if isinstance(value, QuerySet | Manager) else value
        return json.dumps(sorted(_plain(one) for one in rows))
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def _packed(state: dict[str, str]) -> str:
    return json.dumps({"at": timezone.now().isoformat(), "seen": state})


def _unpacked(text: str) -> tuple[datetime, dict[str, str]] | None:
    """Return when a page was made and what it showed; None for what is not ours."""
    try:
        sent = json.loads(text)
        since, seen = parse_datetime(sent["at"]), dict(sent["seen"])
    except (ValueError, TypeError, KeyError):
        return None
    return (since, seen) if since is not None and timezone.is_aware(since) else None


def _facts(
    form: ModelForm, formsets: list[BaseInlineFormSet], changed: list[str]
) -> list[str]:
    """Return what changed, in words; rows edited with the object once each."""
    facts = []
    rows: dict[str, None] = {}
    for name in changed:
        if name in form.fields:
            field = form.fields[name]
            told = _told(field, form.initial.get(name))
            facts.append(f"{field.label or capfirst(name)} is now {told}")
        else:
            prefix, _, rest = name.partition(".")
            rows[f"{prefix}.{rest.partition('.')[0]}"] = None
    return facts + [_row_fact(formsets, row) for row in rows]


def _row_fact(formsets: list[BaseInlineFormSet], path: str) -> str:
    prefix, _, pk = path.rpartition(".")
    for formset in formsets:
        if formset.prefix == prefix:
            model: Any = formset.model
            kind = str(model._meta.verbose_name)
            for row in formset.get_queryset():
                if str(row.pk) == pk:
                    return f"the {kind} “{row}” was changed or added"
            return f"a {kind} was deleted"
    return "a row was changed"


def _told(field: Field, value: Any) -> str:
    """Return a stored value as the page would show it."""
    if value in (None, "", [], {}):
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        names = sorted(str(one) for one in value)
        more = f" and {len(names) - _SHOWN_MAX} more" * (len(names) > _SHOWN_MAX)
        return ", ".join(f"“{name}”" for name in names[:_SHOWN_MAX]) + more
    if isinstance(field, ModelChoiceField):
        row = field.queryset.filter(pk=value).first() if field.queryset else None
        return f"“{row if row is not None else value}”"
    if isinstance(field, ChoiceField):
        labels = {str(key): label for key, label in _flat(field.choices)}
        return f"“{labels.get(str(value), value)}”"
    if isinstance(value, datetime) and timezone.is_aware(value):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"“{localize(value)}”"


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    flat: list[tuple[Any, Any]] = []
    for key, label in choices:
        flat += label if isinstance(label, list | tuple) else [(key, label)]
    return flat


def _who(obj: Model, since: datetime, request: HttpRequest) -> str:
    """Return who changed the row since then, and when."""
    entry = (
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(obj),
            object_id=str(obj.pk),
            action_time__gte=since,
        )
        .select_related("user")
        .order_by("-action_time")
        .first()
    )
    if entry is not None:
        name, at = entry.user.get_username(), entry.action_time
    else:
        revision = _revision(obj, since)
        if revision is None:
            return "Somebody else"
        name, at = revision.actor or "A program or the API", revision.created_at
    if name == request.user.get_username():
        name = "You (in another window)"
    return f"{name}, on {date_format(timezone.localtime(at), 'DATETIME_FORMAT')},"


def _revision(obj: Model, since: datetime) -> ConfigurationRevision | None:
    program = getattr(obj, "program_id", None)
    rows = ConfigurationRevision.objects.filter(program=program, created_at__gte=since)
    return rows.order_by("-number").first()


def _sentence(who: str, facts: list[str]) -> str:
    shown = facts[:_SHOWN_MAX]
    more = f"; and {len(facts) - len(shown)} more" if len(facts) > len(shown) else ""
    return (
        f"{who} changed this after you opened it: {'; '.join(shown)}{more}. Nothing "
        "of yours was saved yet; it still stands in the boxes below. Save again to "
        "overwrite those changes, or open the page anew to start from them."
    )
