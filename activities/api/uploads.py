"""Files of activities: sent, checked, confirmed, watched, undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response

from activities import tasks
from activities.api import upload_bodies as bodies
from activities.api import upload_readings as readings
from activities.models import Upload, UploadRefusal, UploadStatus
from activities.services import uploads
from loyalty.api.bodies import StrictJsonParser
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst, OldestFirst
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import STATUS_OF_REFUSAL, invalid_at
from loyalty.api.views import ProgramViewSet
from loyalty.errors import LoyaltyError
from loyalty.models import Program
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request

STATUS_OF_REFUSAL.update(
    {
        "unusable_file": 422,
        "empty_file": 422,
        "file_too_large": 413,
        "unknown_format": 422,
        "format_mismatch": 422,
        "wrong_encoding": 422,
        "unpacks_too_large": 422,
        "broken_file": 422,
        "missing_columns": 422,
        "duplicate_columns": 422,
        "other_program": 422,
        "invalid_source": 422,
        "upload_not_ready": 409,
        "nothing_to_record": 409,
        "invalid_mapping": 422,
    }
)
_UNDONE = (UploadStatus.UNDOING, UploadStatus.UNDONE)


class UploadViewSet(ProgramViewSet):
    """Files of activities.

    A file is checked first; nothing is awarded before it is confirmed. A key bound
    to business units cannot use uploads, because a file may name any of them.
    """

    queryset = Upload.objects.select_related("saved_mapping")
    serializer_class = bodies.UploadAnswer
    filterset_class = bodies.UploadFilters
    pagination_class = NewestFirst
    permission_classes = [HasScope, IsForEveryUnit]
    http_method_names = ["get", "post", "head"]

    def get_parsers(self) -> list[Any]:
        """Read a form where a file is sent, JSON elsewhere."""
        # The action is not known yet when a request is prepared.
        if (self.action_map or {}).get("post") == "create":
            return [bodies.UploadParser()]
        return [StrictJsonParser()]

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        known = super().known_parameters()
        return known | {"cursor", "page_size"} if self.action == "refusals" else known

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Lists do without what only a single upload shows."""
        rows = super().filter_queryset(queryset)
        return (
            rows.defer("dry_run", "columns", "sample")
            if self.action == "list"
            else rows
        )

    @extend_schema(
        request={"multipart/form-data": bodies.NewUpload},
        responses={201: bodies.UploadAnswer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Send a file of activities; it is queued for its check.

        `same_file_as` names an earlier upload of the very same file.
        """
        file = bodies.file_in(request.data)
        try:
            upload = uploads.create_upload(
                Program.objects.get(pk=self.caller.program_id),
                file,
                now=clock.now(),
                options=bodies.options_in(request.data, self.caller.program_id),
                actor=self.caller.actor,
            )
        except LoyaltyError as refusal:
            refusal.field = bodies.own_name(refusal.field)
            raise
        tasks.enqueue_validation(upload.pk)
        return Response(bodies.body_of(upload), status=status.HTTP_201_CREATED)

    @extend_schema(responses=bodies.UploadSummary(many=True))
    def list(self, request: Request) -> Response:
        """Uploads, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([bodies.summary_of(one) for one in page])

    @extend_schema(responses=bodies.UploadAnswer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One upload: its step, its progress and what its check found."""
        return Response(bodies.body_of(self.get_object()))

    @extend_schema(responses=bodies.RefusalAnswer(many=True), filters=False)
    @action(detail=True, pagination_class=OldestFirst)
    def refusals(self, request: Request, pk: str) -> Response:
        """Refused rows with line, field and reason; the first 10,000 are kept."""
        rows = UploadRefusal.objects.filter(upload=self.get_object())
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([bodies.refusal_body(one) for one in page])

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, url_path="refused-file")
    def refused_file(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Download the refused rows in the file's own format, with reasons.

        It can be mended and uploaded as it is.
        """
        file = uploads.refused_file(self.get_object())
        header = content_disposition_header(as_attachment=True, filename=file.name)
        return StreamingHttpResponse(
            file.blocks,
            content_type=file.content_type,
            headers={
                "Content-Disposition": header or "attachment",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @extend_schema(request=None, responses=bodies.UploadAnswer)
    @action(detail=True, methods=["post"], url_path="check-again")
    @idempotent
    def check_again(self, request: Request, pk: str) -> Response:
        """Check a file once more whose check failed.

        It helps where the trouble was not in the file; `failure` says what it was.
        """
        return self._take(request, uploads.check_again, tasks.enqueue_validation)

    @extend_schema(responses=readings.ReadingAnswer, filters=False)
    @action(detail=True)
    def reading(self, request: Request, pk: str) -> Response:
        """How the file is read: its mapping or the guess, and its first rows so read.

        `questions` are what has to be answered before its check can go on.
        """
        return Response(readings.reading_body(self.get_object()))

    @extend_schema(request=readings.ReadingBody, responses=bodies.UploadAnswer)
    @reading.mapping.post
    @idempotent
    def read_anew(self, request: Request, pk: str) -> Response:
        """Say how the file is read, or answer questions; it is checked again.

        Possible until it is confirmed. What `mapping` leaves out stays as it was.
        """
        body = readings.reading_in(self.check_object_body(request))
        upload = readings.take_reading(
            self.get_object(), body, actor=self.caller.actor, now=clock.now()
        )
        tasks.enqueue_validation(upload.pk)
        return Response(bodies.body_of(upload))

    @extend_schema(request=None, responses=bodies.UploadAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def confirm(self, request: Request, pk: str) -> Response:
        """Let a checked file run: from now on points are awarded."""
        return self._take(request, uploads.confirm_upload, tasks.enqueue_run)

    @extend_schema(request=None, responses=bodies.UploadAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pause(self, request: Request, pk: str) -> Response:
        """Begin nothing further; what is recorded stays."""
        return self._take(request, uploads.pause_upload)

    @extend_schema(request=None, responses=bodies.UploadAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a paused upload."""
        return self._take(request, uploads.resume_upload, tasks.enqueue_run)

    @extend_schema(request=None, responses=bodies.UploadAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop for good; what is recorded stays, and can be undone."""
        return self._take(request, uploads.cancel_upload, tasks.enqueue_clearing)

    @extend_schema(request=None, responses=bodies.UndoAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def undo(self, request: Request, pk: str) -> Response:
        """Take back everything that the file recorded.

        Undoing twice does nothing the second time, and says so.
        """
        was_undone_before = self.get_object().status in _UNDONE
        response = self._take(request, uploads.undo_upload, tasks.enqueue_undo)
        response.data["was_undone_before"] = was_undone_before
        return response

    def _take(
        self,
        request: Request,
        step: Callable[..., Upload],
        enqueue: Callable[[int], None] | None = None,
    ) -> Response:
        """Take a step of the use case and queue the work that follows."""
        if self.check_object_body(request):
            raise invalid_at("", "unknown_member", "Send nothing, or an empty object.")
        now = clock.now()
        upload = step(self.get_object(), actor=self.caller.actor, now=now)
        if enqueue is not None:
            enqueue(upload.pk)
        return Response(bodies.body_of(upload))
