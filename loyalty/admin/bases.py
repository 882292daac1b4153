"""What every page of the admin is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db.models import DateTimeField, DecimalField, Q, URLField
from django.http import Http404, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from loyalty.admin.changelist import RowsList
from loyalty.admin.choices import remember_choices
from loyalty.admin.deleting import QuickDelete
from loyalty.admin.middleware import may_be_an_id
from loyalty.admin.moments import ENDS, LastDayField, MomentField, last_day
from loyalty.admin.numbers import TIMES, NumberField, times
from loyalty.admin.versions import Versioned
from loyalty.admin.working_program import working_program
from loyalty.models import FrequencyPeriod, Program
from loyalty.services.identities import identities_called
from loyalty.services.narrowing import offers_narrowed_by
from loyalty.services.staff import programs_of

if TYPE_CHECKING:
    from django.db.models import Field, ForeignKey, Model, QuerySet
    from django.db.models.options import Options
    from django.http import HttpRequest, HttpResponse
    from unfold.views import ChangeList

_OTHER_PROGRAM = "“%(value)s” is not one of this program's rows; choose from the list."
_NARROWS = (
    "These name it, and would be open to more without it: %s. Take it out there first."
)
_SWITCHED = (
    "You have switched to another program since this page was opened. Switch back, "
    "then save again."
)


class ProgramChoices:
    """Choices of one program only, for forms and inlines."""

    model: type[Model]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField | None:
        """Offer rows of the program worked in; the program itself is given."""
        model = db_field.remote_field.model
        if db_field.name == "program":
            return _program_field(request)
        if "queryset" not in kwargs and _has_program(model):
            kwargs["queryset"] = _rows(model, request)
        if model is FrequencyPeriod:
            kwargs["queryset"] = _choosable_periods(self._edited(request))
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.name not in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            remember_choices(field, request)
        return _explained(field, model)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        """Offer rows of the program worked in."""
        model = db_field.remote_field.model
        if _has_program(model):
            kwargs["queryset"] = _rows(model, request)
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and _has_program(model):
            field.error_messages["invalid_choice"] = _OTHER_PROGRAM
        if field is not None:
            # Django's "Hold down Control" is of no use beside a search box.
            field.help_text = str(db_field.help_text)
        return field

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Name the zone of moments, trim numbers, complete addresses by https."""
        if isinstance(db_field, DateTimeField):
            kwargs = _of_moment(db_field) | kwargs
        if isinstance(db_field, DecimalField):
            kwargs.setdefault("form_class", NumberField)
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        if db_field.name == "multiplier":
            kwargs = {**kwargs, **TIMES}
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and isinstance(db_field, DateTimeField):
            zone = timezone.get_current_timezone_name()
            field.help_text = f"{field.help_text} Time zone: {zone}.".strip()
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show ends as their last day to people who may only look."""
        sets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return sets
        return [
            (name, {**options, "fields": _with_last_days(options["fields"])})
            for name, options in sets
        ]

    @display(description="Times the base points", empty_value="–")
    def times_the_base(self, row: Any) -> str | None:
        """Return a multiple of the base as people write it: 2 × is double points."""
        return None if row.multiplier is None else times(row.multiplier)

    @display(description="Last day", ordering="ends_at")
    def last_day(self, row: Any) -> str:
        """Return the last day that counts."""
        return last_day(row.ends_at)

    @display(description="Last day in it", ordering="left_at")
    def last_day_in(self, row: Any) -> str:
        """Return the last day in a segment."""
        return last_day(row.left_at, empty="Still in it")

    @display(description="Valid through", ordering="expires_at")
    def valid_through(self, row: Any) -> str:
        """Return the last day on which it is valid."""
        return last_day(row.expires_at)

    def _edited(self, request: HttpRequest) -> Model | None:
        match = request.resolver_match
        object_id = str(match.kwargs.get("object_id", "")) if match else ""
        if not object_id.isdigit():
            return None
        key = f"_edited_{self.model.__name__}"
        if key not in vars(request):
            found = self.model._base_manager.filter(pk=object_id).first()
            vars(request)[key] = found
        edited: Model | None = vars(request)[key]
        return edited


def where_chosen(field: str, condition: str) -> str:
    """Return a condition about a field, which holds where the field is only shown.

    >>> where_chosen("kind", "kind == 'perk'")
    "typeof kind == 'undefined' || kind == 'perk'"
    """
    return f"typeof {field} == 'undefined' || {condition}"


def of_member_called(
    request: HttpRequest, rows: QuerySet, path: str, text: str
) -> QuerySet:
    """Return the rows whose member, at ``path``, has an identity that means it."""
    program = working_program(request)
    if program is None:
        return rows.none()
    found = identities_called(program.pk, text).values("member")
    return rows.filter(**{f"{path}__in": found})


class ProgramAdmin(ProgramChoices, QuickDelete, Versioned, ModelAdmin):
    """Rows of the program worked in. ``program_path`` leads from a row to it.

    It is empty where rows are of the whole installation.
    """

    program_path = "program"
    list_filter_submit = True
    list_filter_sheet = False
    list_fullwidth = True
    compressed_fields = True
    warn_unsaved_form = True
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Return the rows of the program worked in."""
        rows = super().get_queryset(request)
        program = working_program(request)
        return rows.filter(**{self.program_path: program}) if program else rows.none()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Find rows of a member by any spelling of a whole identity, where offered."""
        term = search_term.strip()
        for field in self.get_search_fields(request) if term else ():
            path, is_identity, _ = str(field).partition("__identities__value")
            if is_identity:
                rows = of_member_called(request, queryset, path, term)
                if rows.exists():
                    return rows, False
        return super().get_search_results(request, queryset, search_term)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the kind of list."""
        return RowsList

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nothing can be added before there is a program."""
        return super().has_add_permission(request) and (
            working_program(request) is not None
        )

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Options, object_id: str
    ) -> HttpResponse:
        """Offer to switch to the program that a row belongs to, if there is one."""
        row = None
        if self.program_path and may_be_an_id(self.model, object_id):
            rows = self.model._base_manager.select_related(self.program_path)
            row = rows.filter(pk=object_id).first()
        program = None if row is None else _program_of(row, self.program_path)
        if program is None or program not in programs_of(request.user):
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        messages.warning(
            request,
            format_html(
                "“{}” belongs to the program “{}”. "
                '<a class="loyalty-link" href="{}?{}">Switch to it and open it</a>',
                row,
                program,
                reverse("admin:loyalty_program_work_in", args=[program.pk]),
                urlencode({"next": request.path}),
            ),
        )
        return HttpResponseRedirect(reverse("admin:index"))

    def reasons_to_stay(self, request: HttpRequest, rows: list[Any]) -> list[str]:
        """Keep what an offer is restricted to: without it, it would pay to more."""
        narrowed = {offer for one in rows for offer in offers_narrowed_by(one)}
        if narrowed:
            names = ", ".join(sorted(f"“{offer}”" for offer in narrowed))
            return [_NARROWS % names]
        return super().reasons_to_stay(request, rows)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Choose on a new row's page what the list before it was filtered by."""
        initial = super().get_changeform_initial_data(request)
        filters = QueryDict(str(request.GET.get("_changelist_filters", "")))
        for name, value in filters.items():
            field, _, lookup = name.partition("__")
            if lookup == "id__exact":
                initial.setdefault(field, value)
        return initial

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of this program that an action was asked for.

        Raises:
            Http404: the program has no such row.
        """
        found = super().get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return found

    def message_of(self, request: HttpRequest, text: str) -> None:
        """Tell the person what was done."""
        self.message_user(request, text, messages.SUCCESS)

    def back_to(self, obj: Model) -> HttpResponseRedirect:
        """Return to the row's page."""
        return HttpResponseRedirect(self.address_of("change", obj.pk))

    def address_of(self, page: str, *args: Any) -> str:
        """Return the address of one of this model's pages."""
        meta = self.model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


class ReadOnlyAdmin(ProgramAdmin):
    """Rows that nobody adds, changes or deletes by hand."""

    warn_unsaved_form = False
    actions = None
    paginator = InfinitePaginator
    ordering: tuple[str, ...] = ("-pk",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Rows shown on their parent's page."""

    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnProgramFilter(RelatedDropdownFilter):
    """A drop-down of related rows of the program worked in."""

    def field_choices(
        self, field: Field, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[Any, str]]:
        """Return the choices, by name."""
        related: Any = field.remote_field and field.remote_field.model
        rows = related._default_manager.all()
        if _has_program(related):
            rows = _rows(related, request)
        return sorted(((row.pk, str(row)) for row in rows), key=lambda one: one[1])


def _program_field(request: HttpRequest) -> forms.ModelChoiceField:
    program = working_program(request)
    return forms.ModelChoiceField(
        Program.objects.filter(pk__in=[program.pk] if program else []),
        initial=program.pk if program else None,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _SWITCHED},
    )


def _of_moment(db_field: Field) -> dict[str, Any]:
    """Return how a moment is asked for; of an end, the last day that counts."""
    if db_field.name not in ENDS:
        return {"form_class": MomentField, "widget": MomentField.widget}
    label, help_text = ENDS[db_field.name]
    return {
        "form_class": LastDayField,
        "widget": LastDayField.widget,
        "label": label,
        "help_text": help_text,
    }


def _with_last_days(fields: Any) -> tuple[Any, ...]:
    shown = {
        "ends_at": "last_day",
        "expires_at": "valid_through",
        "left_at": "last_day_in",
        "multiplier": "times_the_base",
    }
    return tuple(shown.get(name, name) for name in fields)


def _program_of(row: Any, path: str) -> Program | None:
    """Return the program that ``path`` leads to."""
    for name in path.split("__"):
        row = getattr(row, name, None)
    return row


def _has_program(model: type[Model]) -> bool:
    return any(field.name == "program" for field in model._meta.fields)


def _rows(model: type[Model], request: HttpRequest) -> QuerySet:
    return model._default_manager.filter(program=working_program(request)).order_by(
        *(["name"] if any(f.name == "name" for f in model._meta.fields) else ["pk"])
    )


def _choosable_periods(edited: Model | None) -> QuerySet:
    current = getattr(edited, "frequency_period_id", None)
    return FrequencyPeriod.objects.filter(Q(is_active=True) | Q(pk=current)).order_by(
        "pk"
    )


def _explained(
    field: forms.ModelChoiceField | None, model: type[Model]
) -> forms.ModelChoiceField | None:
    if field is not None and _has_program(model):
        field.error_messages["invalid_choice"] = _OTHER_PROGRAM
    return field
