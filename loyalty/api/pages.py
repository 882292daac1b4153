"""The pages that people read: the schema and its documentation.

Staff come with their session. A key may fetch the schema, for generating clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission

from loyalty.api.authentication import Caller, KeyAuthentication, no_key
from loyalty.api.exceptions import exception_handler

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsStaffOrKey(BasePermission):
    """Whoever works with the API: staff, and client apps."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise the problem of a missing key."""
        if isinstance(request.auth, Caller) or getattr(request.user, "is_staff", False):
            return True
        raise no_key()


class SchemaView(SpectacularAPIView):
    """The OpenAPI document."""

    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [IsStaffOrKey]

    def get_exception_handler(self) -> Any:
        """Return the handler that answers with problems."""
        return exception_handler

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return the document, which only another version of the site changes."""
        renderer = request.accepted_renderer
        document = _documents.get(renderer.format)
        if document is None:
            drawn = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            document = _documents[renderer.format] = renderer.render(
                drawn.data, renderer.media_type, {}
            )
        return HttpResponse(document, content_type=renderer.media_type)


# By format, once in each process: drawing it takes a second of the processor.
_documents: dict[str, str | bytes] = {}


@method_decorator(staff_member_required, name="dispatch")
class DocumentationView(SpectacularSwaggerSplitView):
    """The documentation to read and try out, for staff."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
