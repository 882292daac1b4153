"""Saved mappings of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response

from activities.api import upload_readings as bodies
from activities.models import UploadMapping
from activities.services import uploads
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import invalid_at
from loyalty.api.views import ProgramViewSet
from loyalty.models import Program
from loyalty.services import clock

if TYPE_CHECKING:
    from rest_framework.request import Request

_FIELDS = frozenset({"name", "header", "content"})


class UploadMappingViewSet(ProgramViewSet):
    """How files of one kind are read, under a name.

    A file whose header has the same names, in any order, is read so by itself.
    """

    queryset = UploadMapping.objects.all()
    serializer_class = bodies.MappingAnswer
    pagination_class = NewestFirst
    permission_classes = [HasScope, IsForEveryUnit]
    http_method_names = ["get", "post", "delete", "head"]

    @extend_schema(responses=bodies.MappingAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Saved mappings, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([bodies.mapping_body(one) for one in page])

    @extend_schema(responses=bodies.MappingAnswer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One saved mapping."""
        return Response(bodies.mapping_body(self.get_object()))

    @extend_schema(request=bodies.MappingBody, responses={201: bodies.MappingAnswer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Save a mapping; one with the same name is replaced."""
        body = self.check_object_body(request)
        for name in _FIELDS ^ body.keys():
            code = "required" if name in _FIELDS else "unknown_member"
            raise invalid_at(f"/{name[:100]}", code, _WORDS[code])
        saved = uploads.save_mapping(
            Program.objects.get(pk=self.caller.program_id),
            _text(body, "name"),
            _names(body["header"]),
            uploads.mapping_of(_object(body, "content")),
            actor=self.caller.actor,
            now=clock.now(),
        )
        return Response(bodies.mapping_body(saved), status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a mapping; uploads that were read with it stay as they are."""
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


_WORDS = {"required": "This field is required.", "unknown_member": "Unknown field."}


def _text(body: dict[str, Any], name: str) -> str:
    if not isinstance(body[name], str):
        raise invalid_at(f"/{name}", "invalid", "Must be text.")
    return str(body[name])


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body[name]
    if not isinstance(found, dict):
        raise invalid_at(f"/{name}", "invalid", "Must be an object.")
    return found


def _names(header: Any) -> list[str]:
    if not isinstance(header, list) or not header or len(header) > 1_000:
        raise invalid_at("/header", "invalid", "Must be a list of 1 to 1,000 names.")
    for place, name in enumerate(header):
        if not isinstance(name, str) or len(name) > 255:
            raise invalid_at(
                f"/header/{place}", "invalid", "Must be text of at most 255 characters."
            )
    return header
