"""Deleting from the admin: refused at once, and not offered where it must fail.

Django's own page collects every row that hangs on the one to be deleted before it
says no: minutes and gigabytes for a campaign that has paid. Here each relation that
protects a row is asked whether it has any, all of them in one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, InternalError, transaction
from django.db.models import CASCADE, PROTECT, RESTRICT, ProtectedError, Value
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpResponseRedirect
from django.utils.text import capfirst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import AdminSite
    from django.db.models import Model, QuerySet
    from django.db.models.options import Options
    from django.http import HttpRequest, HttpResponse

_NAMED_MAX = 20
# What Django, a foreign key and a trigger raise for a row that must stay.
_REFUSALS = (ProtectedError, IntegrityError, InternalError)
_STAYS = "%s cannot be deleted, because %s refer to %s."
_DISABLE = " Disable %s instead: the history stays."
_MEANWHILE = (
    "It cannot be deleted: other rows came to refer to it in the meantime. Nothing "
    "was deleted."
)


class _Hanging(NamedTuple):
    """Rows of one relation to the rows that are to be deleted."""

    rows: QuerySet
    protects: bool

    @property
    def opts(self) -> Options:
        return self.rows.model._meta


def what_protects(rows: list[Model]) -> list[str]:
    """Return the kinds of rows that keep ``rows`` from being deleted; one query.

    A kind is a model's name in the plural. None: nothing does.
    """
    if not rows:
        return []
    found = [one for one in _hanging(type(rows[0]), _chosen(rows)) if one.protects]
    names = sorted({str(one.opts.verbose_name_plural) for one in found})
    probes = [
        one.rows.order_by()
        .annotate(kind_found=Value(names.index(str(one.opts.verbose_name_plural))))
        .values_list("kind_found", flat=True)[:1]
        for one in found
    ]
    if not probes:
        return []
    kinds = probes[0].union(*probes[1:], all=True) if len(probes) > 1 else probes[0]
    return [names[kind] for kind in sorted(set(kinds))]


def what_goes_along(rows: list[Model]) -> dict[type[Model], int]:
    """Return how many rows of which models are deleted with ``rows``."""
    if not rows:
        return {}
    counts: dict[type[Model], int] = {}
    for one in _hanging(type(rows[0]), _chosen(rows)):
        if not one.protects:
            count = one.rows.count()
            if count:
                counts[one.rows.model] = counts.get(one.rows.model, 0) + count
    return counts


def protected_sentence(rows: list[Model], kinds: list[str]) -> str:
    """Return why rows cannot be deleted, and what to do instead."""
    names = ", ".join(f"“{row}”" for row in rows[:_NAMED_MAX])
    it = "it" if len(rows) == 1 else "them"
    text = _STAYS % (names, " and ".join(kinds), it)
    has_switch = any(field.name == "is_enabled" for field in rows[0]._meta.fields)
    return text + (_DISABLE % it if has_switch else "")


class QuickDelete:
    """Mixed into every page of rows, before the theme's class."""

    opts: Options
    admin_site: AdminSite

    def reasons_to_stay(self, request: HttpRequest, rows: list[Any]) -> list[str]:
        """Return sentences about why ``rows`` cannot be deleted; none: they can."""
        kinds = what_protects(rows)
        return [protected_sentence(rows, kinds)] if kinds else []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return names, counts, what the person may not delete, what protects."""
        rows = list(objs)
        reasons = self.reasons_to_stay(request, rows)
        if reasons:
            return [], {}, set(), reasons
        along = what_goes_along(rows)
        return (
            _names(rows),
            self.counts_of_deletion(rows, along),
            self._lacking(request, along),
            [],
        )

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to delete only what can be deleted."""
        row = context.get("original")
        may = row is not None and self.has_delete_permission(request, row)  # type: ignore[attr-defined]
        if may and self.reasons_to_stay(request, [row]):
            context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask and delete; a row that came to be needed meanwhile stays."""
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
        except _REFUSALS:
            return _came_too_late(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Show the list, or carry out an action on rows of it."""
        try:
            return super().changelist_view(request, extra_context)  # type: ignore[misc]
        except _REFUSALS:
            if request.POST.get("action") != "delete_selected":
                raise
            return _came_too_late(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Delete the chosen rows; all of them or none."""
        with transaction.atomic():
            super().delete_queryset(request, queryset)  # type: ignore[misc]

    def counts_of_deletion(
        self, rows: list[Any], along: dict[type[Model], int]
    ) -> dict[str, int]:
        """Return how many rows go, by what they are called."""
        return {
            str(self.opts.verbose_name_plural): len(rows),
            **{str(model._meta.verbose_name_plural): n for model, n in along.items()},
        }

    def _lacking(self, request: HttpRequest, along: dict[type[Model], int]) -> set[str]:
        return {
            str(model._meta.verbose_name)
            for model in along
            if model in self.admin_site._registry
            and not self.admin_site._registry[model].has_delete_permission(request)
        }


class QuickDeleteInline:
    """Mixin for rows that are edited on their parent's page and can be deleted."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return a formset that keeps rows which others refer to, and says so."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]

        class Keeping(formset.form):  # type: ignore[name-defined]
            # Django's own collects every row that refers to this one.
            def hand_clean_DELETE(self) -> None:  # noqa: N802
                is_deleted = self.cleaned_data.get(DELETION_FIELD_NAME, False)
                if not is_deleted or self.instance._state.adding:
                    return
                kinds = what_protects([self.instance])
                if kinds:
                    raise ValidationError(protected_sentence([self.instance], kinds))

        formset.form = Keeping
        return formset


def _came_too_late(request: HttpRequest) -> HttpResponseRedirect:
    messages.error(request, _MEANWHILE)
    return HttpResponseRedirect(request.path)


def _names(rows: list[Model]) -> list[str]:
    names = [f"{capfirst(row._meta.verbose_name)}: {row}" for row in rows[:_NAMED_MAX]]
    more = len(rows) - len(names)
    return [*names, f"and {more:,} more"] if more else names


def _chosen(rows: list[Model]) -> QuerySet:
    manager = type(rows[0])._base_manager
    return manager.filter(pk__in=[row.pk for row in rows]).order_by()


def _hanging(model: type[Model], rows: QuerySet) -> Iterator[_Hanging]:
    """Yield the relations to ``rows``, and to what is deleted with them."""
    relations: list[Any] = list(model._meta.get_fields(include_hidden=True))
    for relation in filter(_is_from_others, relations):
        field = relation.field
        # Rows of a child table refer to the common table by its own key.
        keys = rows.values(field.target_field.name)
        hanging = field.model._base_manager.filter(**{f"{field.name}__in": keys})
        if relation.on_delete in (PROTECT, RESTRICT):
            yield _Hanging(hanging.order_by(), protects=True)
        elif relation.on_delete is CASCADE:
            if not field.model._meta.auto_created:
                yield _Hanging(hanging.order_by(), protects=False)
            yield from _hanging(field.model, hanging)


def _is_from_others(relation: Any) -> bool:
    """Return whether other rows refer to a row by it; its own child's part does not."""
    if relation.concrete or not (relation.one_to_many or relation.one_to_one):
        return False
    is_relation_back = relation.auto_created and hasattr(relation, "on_delete")
    return is_relation_back and not getattr(relation, "parent_link", False)
