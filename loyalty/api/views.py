"""What every view of the API has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import ProtectedError
from rest_framework import mixins, status
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from loyalty.api.authentication import Caller, KeyAuthentication
from loyalty.api.bodies import StrictJsonParser
from loyalty.api.exceptions import exception_handler
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst, OldestFirst
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import Problem, invalid, invalid_parameter
from loyalty.api.rendering import JsonRenderer, Negotiation
from loyalty.api.throttling import KeyThrottle
from loyalty.services.narrowing import offers_narrowed_by

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

ROW_NUMBER = r"\d{1,18}"
_PAGING = frozenset({"cursor", "page_size"})


class ProgramViewSet(GenericViewSet[Any]):
    """Rows of the caller's program, and of no other.

    ``program_path`` is the look-up from a row to its program.
    """

    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    parser_classes = [StrictJsonParser]
    renderer_classes = [JsonRenderer]
    content_negotiation_class = Negotiation
    pagination_class: type[NewestFirst] = OldestFirst
    metadata_class = None
    lookup_value_regex = ROW_NUMBER
    program_path = "program_id"
    #: Names of further query parameters, beside the filters.
    parameters: frozenset[str] = frozenset()

    @property
    def caller(self) -> Caller:
        """Return who calls."""
        caller = self.request.auth
        if not isinstance(caller, Caller):
            # Only the schema is drawn without a caller.
            raise TypeError("No view runs without a caller.")
        return caller

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        return {"Cache-Control": "no-store"}

    def get_exception_handler(self) -> Any:
        """Return the handler that answers with problems."""
        return exception_handler

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows of the caller's program."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.filter(**{self.program_path: self.caller.program_id})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse query parameters that nobody reads or the database cannot hold."""
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING"):
            self._check_parameters(request)

    def _check_parameters(self, request: Request) -> None:
        known = self.known_parameters()
        for name, values in request.query_params.lists():
            if name not in known:
                raise invalid_parameter(
                    name[:100].replace("\0", ""),
                    "unknown_parameter",
                    f"Known here: {', '.join(sorted(known)) or 'none'}.",
                )
            if len(values) > 1:
                raise invalid_parameter(name, "repeated", "Give it once.")
            if "\0" in values[0]:
                raise invalid_parameter(name, "unstorable_text", "NUL is no text.")

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        known = self.parameters
        if self.action == "list":
            filters = getattr(self, "filterset_class", None)
            known |= _PAGING | frozenset(filters.base_filters if filters else ())
        return known

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the filters; a single row is not filtered."""
        filters = getattr(self, "filterset_class", None)
        if filters is None or self.action != "list":
            return queryset
        found = filters(self.request.query_params, queryset, request=self.request)
        if not found.is_valid():
            raise invalid(
                [
                    {"parameter": name, "code": error.code or "invalid", "detail": text}
                    for name, some in found.errors.as_data().items()
                    for error in some
                    for text in error.messages
                ]
            )
        rows: QuerySet[Any] = found.qs
        return rows

    def check_object_body(self, request: Request) -> dict[str, Any]:
        """Return the body, which has to be an object; nothing is an empty one."""
        body = request.data
        if isinstance(body, dict):
            return body
        raise Problem(400, "not_an_object", "The body must be a JSON object.")

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Tell how much of its rate the key has left."""
        rate = getattr(request, "rate", None)
        final = super().finalize_response(request, response, *args, **kwargs)
        if rate is not None:
            for name, value in rate.headers.items():
                final[name] = value
        return final


class ReadOnlyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProgramViewSet):
    """Lists and single rows."""


class VocabularyViewSet(ReadOnlyViewSet):
    """Numbered words that every program of the installation shares."""

    def get_queryset(self) -> QuerySet[Any]:
        """Return all of them."""
        return GenericViewSet.get_queryset(self)


class ConfigurationViewSet(ReadOnlyViewSet):
    """Rows that marketing changes; every change is a new configuration revision."""

    permission_classes = [HasScope, IsForEveryUnit]
    unit_bound_keys_may_read = True
    http_method_names = ["get", "post", "patch", "delete", "head"]

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a row."""
        serializer = self.get_serializer(data=request.data)
        return self._write(serializer, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the members that are sent; one change after the other."""
        with transaction.atomic():
            lock_row(self.get_object())
            # Read again: what a change before this one wrote must not be undone.
            serializer = self.get_serializer(
                self.get_object(), data=request.data, partial=True
            )
            return self._write(serializer, status.HTTP_200_OK)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a row that nothing refers to and no offer is restricted to."""
        with transaction.atomic():
            name_actor(self.caller)
            row = self.get_object()
            narrowed = offers_narrowed_by(row)
            if narrowed:
                raise ProtectedError("Offers are only for it.", set(narrowed))
            row.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _write(self, serializer: BaseSerializer[Any], code: int) -> Response:
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            name_actor(self.caller)
            row = serializer.save()
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=code)


def lock_row(row: Model) -> None:
    """Keep others from changing a row until the transaction ends.

    Without its key: recordings that refer to the row go on.
    """
    rows = type(row)._base_manager.filter(pk=row.pk).order_by()
    rows.select_for_update(no_key=True).first()


def name_actor(caller: Caller) -> None:
    """Tell the database who changes the configuration in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('loyalty.actor', %s, true)", [caller.actor])
