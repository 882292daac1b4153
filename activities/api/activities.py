"""Activities: recording, simulating, reading back, undoing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from activities.api import documents, recording, stored
from activities.models import Activity, ActivityReversal
from activities.services import reverse_activities
from loyalty.api.batches import ActivitiesJsonParser
from loyalty.api.fields import moment_text
from loyalty.api.idempotency import (
    REVERSED,
    idempotent,
    replay_headers,
    sent_key,
)
from loyalty.api.pagination import NewestFirst
from loyalty.api.problems import invalid_at, invalid_parameter
from loyalty.api.rendering import json_bytes
from loyalty.api.views import ProgramViewSet
from loyalty.models import Offer
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

# Room for "/999" behind the key of a batch.
BATCH_KEY_CHARACTERS_MAX = 250
EXPLAIN = OpenApiParameter(
    "explain",
    int,
    enum=[0, 1],
    description="1: tell for every offer considered why it paid or not.",
)
REVERSED_HEADER = OpenApiParameter(
    REVERSED,
    OpenApiTypes.DATETIME,
    OpenApiParameter.HEADER,
    response=[201],
    description="With a repeated request whose activity was undone since: when. Its "
    "points are gone; the body is still the first answer.",
)


class ActivityViewSet(ProgramViewSet):
    """What members did, and what it earned.

    A key bound to business units sees and records activities of these only.
    """

    queryset = Activity.objects.all()
    serializer_class = documents.StoredActivity
    filterset_class = stored.ActivityFilters
    pagination_class = NewestFirst
    reading_actions = ("simulate",)

    def get_queryset(self) -> QuerySet[Activity]:
        """Return the activities that the key may see."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False) or not self.caller.unit_ids:
            return rows
        return rows.filter(business_unit_id__in=self.caller.unit_ids)

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        known = super().known_parameters()
        return known | {"explain"} if self.action in {"create", "retrieve"} else known

    @extend_schema(
        request=documents.NewActivity,
        responses={201: documents.RecordedActivity},
        parameters=[EXPLAIN, REVERSED_HEADER],
        examples=[documents.PURCHASE, documents.EARNED],
    )
    def create(self, request: Request) -> HttpResponse:
        """Record one activity and tell what it earned.

        Safe to repeat with the same key: the answer is then the first one, byte
        for byte, with `Idempotency-Replayed: true`; with `Activity-Reversed`, too, if
        the activity was undone since. A file or a contract that carries receipt
        numbers may have brought the same key: that is the same activity. A refusal
        stores nothing and leaves the key free. 409 with `Retry-After` while the first
        request is still being worked on.
        """
        explain = bool(request.META.get("QUERY_STRING")) and explains(request)
        answer = recording.record_one(
            request.data, sent_key(request), self.caller, explain=explain
        )
        return _response(answer)

    create.takes_idempotency_key = True  # type: ignore[attr-defined]

    @extend_schema(
        request=documents.ActivityBatch,
        responses={200: documents.BatchResults, 207: documents.BatchResults},
        parameters=[
            OpenApiParameter(
                "Prefer",
                str,
                OpenApiParameter.HEADER,
                enum=["handling=strict", "handling=lenient"],
                description="strict: record all or none.",
            )
        ],
    )
    @action(detail=False, methods=["post"], parser_classes=[ActivitiesJsonParser])
    def batch(self, request: Request) -> HttpResponse:
        """Record up to 1,000 activities, each on its own.

        200 if all were recorded, 207 if some were refused, 400 if all were. The
        activities may come in any order; each member's are decided by time. With
        an `Idempotency-Key`, item 0 gets the key `<key>/0` unless it names one.
        """
        is_strict = _is_strict(request)
        answer = recording.record_batch(
            request.data,
            sent_key(request, BATCH_KEY_CHARACTERS_MAX),
            self.caller,
            is_strict=is_strict,
        )
        response = _response(answer)
        if is_strict:
            response["Preference-Applied"] = "handling=strict"
        return response

    batch.takes_idempotency_key = True  # type: ignore[attr-defined]

    @extend_schema(
        request=documents.TriedActivity,
        responses=documents.SimulatedActivity,
        examples=[documents.PURCHASE],
    )
    @action(detail=False, methods=["post"])
    def simulate(self, request: Request) -> HttpResponse:
        """Tell what an activity would earn now; nothing is written.

        `with_campaigns` tries drafts, too: campaigns that count as enabled. Needs the
        read scope only. The key is not looked at.
        """
        return _response(recording.simulate_one(request.data, self.caller))

    @extend_schema(responses=documents.StoredActivity(many=True))
    def list(self, request: Request) -> Response:
        """Activities, newest first."""
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(stored.for_reading(rows)) or []
        return self.get_paginated_response(
            [stored.stored_body(row, explain=False) for row in page]
        )

    @extend_schema(responses=documents.StoredActivity, parameters=[EXPLAIN])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One activity; with `explain=1`, why it earned what it earned."""
        explain = explains(request)
        self.queryset = stored.for_reading(Activity.objects.all())
        row = self.get_object()
        body = stored.stored_body(row, explain=explain)
        if explain:
            body["offers"] = _names_of(row.latest_decision())
        return Response(body)

    @extend_schema(
        request=documents.ReversalRequest, responses=documents.ReversalAnswer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def reverse(self, request: Request, pk: str) -> Response:
        """Undo an activity: its points, caps, budgets and tier score go back.

        Undoing twice does nothing the second time, and says so.
        """
        activity = self.get_object()
        undone = reverse_activities(
            self.caller.program_id,
            [activity.pk],
            now=clock.now(),
            reason=_reason(self.check_object_body(request)),
            actor=self.caller.actor,
        )
        reversal = ActivityReversal.objects.get(activity=activity)
        return Response(
            {
                "id": activity.pk,
                "is_reversed": True,
                "was_reversed_before": not undone,
                "reversed_at": moment_text(reversal.created_at),
            }
        )


def _response(answer: recording.Answer) -> HttpResponse:
    response = HttpResponse(
        json_bytes(answer.body), status=answer.status, content_type="application/json"
    )
    headers = replay_headers(answer.reversed_at, is_replay=answer.is_replay)
    for name, value in headers.items():
        response[name] = value
    return response


def explains(request: Request) -> bool:
    """Return whether a call asks for the explanation."""
    text = request.query_params.get("explain", "0")
    if text not in {"0", "1"}:
        raise invalid_parameter("explain", "invalid", "Say explain=1.")
    return text == "1"


def _is_strict(request: Request) -> bool:
    wishes = request.META.get("HTTP_PREFER", "").lower()
    return "handling=strict" in wishes.replace(" ", "").replace('"', "")


def _reason(body: dict[str, Any]) -> str:
    for name in body:
        if name != "reason":
            detail = f"There is no member “{name[:100]}” here."
            raise invalid_at("", "unknown_member", detail)
    reason = body.get("reason", "")
    if not isinstance(reason, str) or len(reason) > 200:
        raise invalid_at("/reason", "invalid", "Text of at most 200 characters.")
    return reason


def _names_of(decision: dict[str, Any]) -> dict[str, str]:
    parts = [*decision.get("awards", ()), *decision.get("rejections", ())]
    rows = Offer.objects.filter(pk__in={part["offer"] for part in parts})
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}
