"""Backtests over the API: ask for one, watch it, read what it found."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from activities import tasks
from activities.api.commands import check_members
from activities.api.documents import FreeData, NumberOrText
from activities.models import Backtest, BacktestDates, BacktestStatus
from activities.services.backtesting import (
    NewBacktest,
    Span,
    cancel_backtest,
    create_backtest,
    restart_backtest,
)
from loyalty.api.fields import moment_text
from loyalty.api.filters import NumberFilter
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import Problem, invalid, invalid_at, wrong
from loyalty.api.views import ProgramViewSet
from loyalty.engine.moments import InvalidMoment, parse_moment
from loyalty.engine.numbers import InvalidNumber, NumberText, parse_value
from loyalty.models import Program
from loyalty.services import clock

if TYPE_CHECKING:
    from rest_framework.request import Request

    from loyalty.api.authentication import Caller

_MEMBERS = frozenset({"from", "until", "campaigns", "dates", "cost_per_point"})
_CAMPAIGNS_MAX = 50
# A point that costs more than this is a slip of the pen.
_COST_MAX = 100_000


class BacktestBody(serializers.Serializer[Any]):
    """What is to be tried."""

    until = serializers.DateTimeField(help_text="Outside the period. RFC 3339.")
    campaigns = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        max_length=_CAMPAIGNS_MAX,
        help_text="Campaigns under test, by number; they count as enabled. Without "
        "any, the configuration is tried as it stands.",
    )
    dates = serializers.ChoiceField(
        BacktestDates.choices,
        required=False,
        help_text="`period`: as if the campaigns under test had run all of the period. "
        "`own`: their own dates count.",
    )
    cost_per_point = NumberOrText(required=False, help_text="In money.")

    def get_fields(self) -> dict[str, Any]:
        """Add the member whose name is a word of Python."""
        first = serializers.DateTimeField(help_text="Inside the period. RFC 3339.")
        return {"from": first, **super().get_fields()}


class BacktestSummary(serializers.Serializer[Any]):
    """A backtest and how far it is."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(BacktestStatus.choices)
    until = serializers.DateTimeField()
    campaigns = serializers.ListField(child=serializers.IntegerField())
    dates = serializers.ChoiceField(BacktestDates.choices)
    cost_per_point = serializers.CharField(allow_null=True)
    activities = serializers.IntegerField(help_text="In the period, to be replayed.")
    done = serializers.IntegerField(help_text="Of them.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Add the member whose name is a word of Python."""
        return {"from": serializers.DateTimeField(), **super().get_fields()}


class BacktestAnswer(BacktestSummary):
    """A backtest with what it found; an empty result until it is finished."""

    result = FreeData(
        help_text="Points are in the smallest unit of their wallet; winners and "
        "distribution count whole points. `points` are of the campaigns under test, "
        "`everything` of all offers, `recorded` what was really paid for the same "
        "activities."
    )


class BacktestFilters(django_filters.FilterSet):
    """Query parameters of the list."""

    status = django_filters.ChoiceFilter(choices=BacktestStatus.choices)
    campaign = NumberFilter(field_name="campaigns", label="Number of a campaign.")

    class Meta:
        model = Backtest
        fields: tuple[str, ...] = ()


class BacktestViewSet(ProgramViewSet):
    """Campaigns tried out on what members really did; nothing is paid.

    A key bound to business units cannot use them, because a backtest tells of all.
    """

    queryset = Backtest.objects.all()
    serializer_class = BacktestAnswer
    filterset_class = BacktestFilters
    pagination_class = NewestFirst
    permission_classes = [HasScope, IsForEveryUnit]
    http_method_names = ["get", "post", "head"]

    @extend_schema(request=BacktestBody, responses={201: BacktestAnswer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for a backtest; it is queued for a worker.

        Stored activities of the period are decided anew under the configuration as it
        stands now. Read it until its `status` is `finished`.
        """
        backtest = create_backtest(
            Program.objects.get(pk=self.caller.program_id),
            _wanted(self.check_object_body(request), self.caller),
            now=clock.now(),
        )
        tasks.enqueue_backtest(backtest.pk)
        return Response(body_of(backtest), status=status.HTTP_201_CREATED)

    @extend_schema(responses=BacktestSummary(many=True))
    def list(self, request: Request) -> Response:
        """Backtests, newest first, without their results."""
        rows = self.filter_queryset(self.get_queryset()).prefetch_related("campaigns")
        page = self.paginate_queryset(rows.defer("result", "partial", "plan")) or []
        return self.get_paginated_response([summary_of(one) for one in page])

    @extend_schema(responses=BacktestAnswer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One backtest: how far it is and, in the end, what it found."""
        return Response(body_of(self.get_object()))

    @extend_schema(request=None, responses=BacktestAnswer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Call a backtest off that is not at its end."""
        if self.check_object_body(request):
            raise invalid_at("", "unknown_member", "Send nothing, or an empty object.")
        now = clock.now()
        return Response(body_of(cancel_backtest(self.get_object(), now=now)))

    @extend_schema(request=None, responses=BacktestAnswer)
    @action(detail=True, methods=["post"], url_path="start-again")
    @idempotent
    def start_again(self, request: Request, pk: str) -> Response:
        """Start a backtest again that failed; `failure` says why it did."""
        if self.check_object_body(request):
            raise invalid_at("", "unknown_member", "Send nothing, or an empty object.")
        backtest = restart_backtest(self.get_object())
        tasks.enqueue_backtest(backtest.pk)
        return Response(body_of(backtest))


def summary_of(backtest: Backtest) -> dict[str, Any]:
    """Return a backtest as lists tell it."""
    cost = backtest.cost_per_point
    finished_at = backtest.finished_at
    return {
        "id": backtest.pk,
        "status": backtest.status,
        "from": moment_text(backtest.starts_at),
        "until": moment_text(backtest.ends_at),
        "campaigns": sorted(one.pk for one in backtest.campaigns.all()),
        "dates": backtest.dates,
        "cost_per_point": None if cost is None else f"{cost.normalize():f}",
        "activities": backtest.activity_count,
        "done": backtest.done_count,
        "created_at": moment_text(backtest.created_at),
        "finished_at": None if finished_at is None else moment_text(finished_at),
        "failure": backtest.failure,
    }


def body_of(backtest: Backtest) -> dict[str, Any]:
    """Return a backtest with its result."""
    return {**summary_of(backtest), "result": backtest.result}


def _wanted(body: dict[str, Any], caller: Caller) -> NewBacktest:
    check_members(body, _MEMBERS, "")
    errors: list[Any] = []
    found: dict[str, Any] = {}
    for name, reader in _READERS.items():
        try:
            found[name] = reader(body.get(name), f"/{name}", caller)
        except Problem as problem:
            errors += problem.errors
    if errors:
        raise invalid(errors)
    return NewBacktest(
        Span(found["from"], found["until"]),
        found["campaigns"],
        found["dates"],
        found["cost_per_point"],
        actor=caller.actor,
    )


def _moment(value: Any, pointer: str, caller: Caller) -> datetime:
    if value is None:
        raise invalid_at(pointer, "required", "The period needs both ends.")
    try:
        text = None if isinstance(value, NumberText) else value
        return parse_moment(text, caller.naive_zone).at
    except InvalidMoment as error:
        raise invalid_at(pointer, error.code, str(error)) from None


def _campaigns(value: Any, pointer: str, _: Caller) -> list[int]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _CAMPAIGNS_MAX:
        detail = f"A list of at most {_CAMPAIGNS_MAX} numbers of campaigns."
        raise invalid_at(pointer, "invalid", detail)
    wrongs = [
        wrong(f"{pointer}/{place}", "invalid_number", "A campaign's number, 1 up.")
        for place, one in enumerate(value)
        if isinstance(one, bool) or not isinstance(one, int) or not 0 < one < 2**63
    ]
    if wrongs:
        raise invalid(wrongs)
    return value


def _dates(value: Any, pointer: str, _: Caller) -> str:
    if value is None:
        return BacktestDates.PERIOD.value
    if value not in BacktestDates.values:
        known = " or ".join(BacktestDates.values)
        raise invalid_at(pointer, "invalid", f"Say {known}.")
    return str(value)


def _cost(value: Any, pointer: str, _: Caller) -> Decimal | None:
    if value is None:
        return None
    try:
        cost = Decimal(parse_value(value)).scaleb(-4)
    except InvalidNumber as error:
        raise invalid_at(pointer, error.code, str(error)) from None
    if not 0 <= cost <= _COST_MAX:
        raise invalid_at(pointer, "invalid", f"From 0 to {_COST_MAX:,}.")
    return cost


_READERS = {
    "from": _moment,
    "until": _moment,
    "campaigns": _campaigns,
    "dates": _dates,
    "cost_per_point": _cost,
}
