"""Quests, who takes part in them and how far they are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from campaigns.models import Quest, QuestRequirement
from campaigns.services import taking_part
from loyalty.api.bases import RowSerializer
from loyalty.api.fields import RowIds, moment_text
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst, page_of
from loyalty.api.problems import (
    STATUS_OF_REFUSAL,
    Problem,
    invalid_at,
    invalid_parameter,
)
from loyalty.api.serializers import OFFER_FIELDS
from loyalty.api.views import ROW_NUMBER, ReadOnlyViewSet
from loyalty.engine.numbers import format_value
from loyalty.models import Segment
from loyalty.services import clock, member_numbered

if TYPE_CHECKING:
    from rest_framework.request import Request

    from campaigns.services.taking_part import Participation
    from loyalty.engine.quests import Progress

STATUS_OF_REFUSAL.update(
    {
        "unknown_quest": 404,
        "unknown_opt_in": 404,
        "quest_not_open": 409,
        "quest_completed": 409,
        "quest_prizes_gone": 409,
    }
)
_ROW_NUMBER_MAX = 10**18 - 1
# What a quest has of an offer; its limits are its own.
_OFFER_FIELDS = tuple(
    name
    for name in OFFER_FIELDS
    if name
    not in {
        "is_enabled",
        "per_value",
        "multiplier",
        "cap_count",
        "frequency_period",
        "required_attempts",
    }
)


class RequirementSerializer(serializers.ModelSerializer[QuestRequirement]):
    """One thing to reach in a quest."""

    class Meta:
        model = QuestRequirement
        fields = (
            "id",
            "activity_type",
            "description",
            "measure",
            "value_threshold",
            "restricted_to_ids",
            "check_in_interval_days",
            "order",
        )


class QuestSerializer(RowSerializer):
    """A prize for what several activities add up to."""

    included_segments = RowIds(queryset=Segment.objects.all(), required=False)
    excluded_segments = RowIds(queryset=Segment.objects.all(), required=False)
    requirements = RequirementSerializer(many=True, read_only=True)

    class Meta:
        model = Quest
        fields = (
            *_OFFER_FIELDS,
            "voucher_type",
            "description",
            "status",
            "opt_in_mode",
            "time_to_complete_minutes",
            "enforce_order",
            "completions_per_member",
            "completions_total",
            "included_segments",
            "excluded_segments",
            "requirements",
        )


class ProgressSerializer(serializers.Serializer[Any]):
    """How far one requirement is."""

    requirement = serializers.IntegerField()
    description = serializers.CharField()
    value = serializers.CharField(help_text="Decimal text.")
    needed = serializers.CharField(allow_null=True, help_text="Decimal text.")
    fulfilled_at = serializers.DateTimeField(allow_null=True)


class ParticipationSerializer(serializers.Serializer[Any]):
    """That a member takes part in a quest, and how far it is."""

    id = serializers.IntegerField()
    quest = serializers.IntegerField()
    opted_in_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    is_completed = serializers.BooleanField()
    prize_at = serializers.DateTimeField(allow_null=True)
    progress = ProgressSerializer(many=True)


class ParticipantSerializer(serializers.Serializer[Any]):
    """Who opts in."""

    member = serializers.IntegerField(min_value=1, max_value=_ROW_NUMBER_MAX)


class QuestViewSet(ReadOnlyViewSet):
    """Prizes for what several activities add up to."""

    queryset = Quest.objects.prefetch_related(
        "included_segments", "excluded_segments", "requirements"
    )
    serializer_class = QuestSerializer
    pagination_class = NewestFirst
    lookup_value_regex = ROW_NUMBER
    http_method_names = ["get", "post", "head"]

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        own = {"member"} if self.action == "progress" else set()
        return super().known_parameters() | own

    @extend_schema(
        request=ParticipantSerializer, responses=ParticipationSerializer, filters=False
    )
    @action(detail=True, methods=["post"], url_path="opt-in", pagination_class=None)
    @idempotent
    def opt_in(self, request: Request, pk: str) -> Response:
        """Let a member take part from now on; again goes on with the first.

        409 if the quest is not open to the member, was completed as often as it may
        be, or has no prizes left.
        """
        body = self.check_object_body(request)
        if body.keys() != {"member"}:
            raise _no_member()
        taken = taking_part.opt_in(
            self.caller.program_id,
            _number(body["member"]),
            int(pk),
            now=clock.now(),
            unit_ids=self.caller.unit_ids,
        )
        return Response(_written(taken))

    @extend_schema(
        parameters=[OpenApiParameter("member", int, required=True)],
        responses=ParticipationSerializer(many=True),
        filters=False,
    )
    @action(detail=False)
    def progress(self, request: Request) -> Response:
        """How far a member is in the quests that it takes part in, oldest first."""
        text = request.query_params.get("member", "")
        if not (text.isascii() and text.isdigit() and 0 < len(text) <= 18):
            raise invalid_parameter("member", "required", "Name a member's number.")
        member = member_numbered(self.caller.program_id, int(text))
        found = taking_part.participations_of(self.caller.program_id, member.pk)
        return Response(page_of([_written(one) for one in found]))


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _no_member()
    if not 0 < value <= _ROW_NUMBER_MAX:
        raise _no_member()
    return value


def _no_member() -> Problem:
    return invalid_at("/member", "invalid_member", "Write {“member”: 12}.")


def _written(one: Participation) -> dict[str, Any]:
    return {
        "id": one.id,
        "quest": one.quest.id,
        "opted_in_at": moment_text(one.opted_in_at),
        "ends_at": _moment(one.ends_at),
        "is_completed": one.is_completed,
        "prize_at": _moment(one.prize_at),
        "progress": [_step(each) for each in one.progress],
    }


def _step(each: Progress) -> dict[str, Any]:
    return {
        "requirement": each.requirement.id,
        "description": each.requirement.description,
        "value": format_value(each.value),
        "needed": None if each.needed is None else format_value(each.needed),
        "fulfilled_at": _moment(each.fulfilled_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
