"""Members: who they are, what they hold, where they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.response import Response

from loyalty import services
from loyalty.api import member_bodies as bodies
from loyalty.api.filters import MemberFilters
from loyalty.api.idempotency import idempotent
from loyalty.api.pagination import NewestFirst, page_of
from loyalty.api.permissions import bound_to_units
from loyalty.api.problems import STATUS_OF_REFUSAL, invalid_parameter
from loyalty.api.views import ProgramViewSet
from loyalty.models import Account, Entry, Lot, Member, SegmentMembership, Tier
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

STATUS_OF_REFUSAL.update({"identity_taken": 409, "unknown_identity": 404})

HISTORY_MAX = 200


class MemberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProgramViewSet):
    """Members of the program."""

    queryset = Member.objects.prefetch_related("identities")
    serializer_class = bodies.MemberSerializer
    filterset_class = MemberFilters
    pagination_class = NewestFirst
    http_method_names = ["get", "post", "patch", "head"]

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        of_action = {
            "lookup": {"kind", "value"},
            "entries": {"cursor", "page_size"},
            "lots": {"cursor", "page_size", "is_open"},
        }
        return super().known_parameters() | of_action.get(self.action, set())

    @extend_schema(
        request=bodies.NewMemberSerializer,
        responses={200: bodies.MemberSerializer, 201: bodies.MemberSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Enrol a member.

        201 with the new member; 200 if one has exactly these identities already;
        409 if another member has some of them.
        """
        body = bodies.NewMemberSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        identities = [(one["kind"], one["value"]) for one in fields.pop("identities")]
        enrolled = services.enrol_member(
            self.caller.program_id, services.Enrolment(identities, fields)
        )
        code = status.HTTP_201_CREATED if enrolled.is_new else status.HTTP_200_OK
        return self._answer(enrolled.member.pk, code)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change attributes, home unit or the block.

        Closed to keys that are bound to business units: a member is of all of them.
        """
        if self.caller.unit_ids:
            raise bound_to_units()
        member = self.get_object()
        body = self.get_serializer(member, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        body.save()
        return self._answer(member.pk, status.HTTP_200_OK)

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", str, required=True),
            OpenApiParameter("value", str, required=True),
        ],
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def lookup(self, request: Request) -> Response:
        """Find the one member that has this identity."""
        given = {}
        for name in ("kind", "value"):
            given[name] = request.query_params.get(name, "")
            if not given[name]:
                raise invalid_parameter(name, "required", "Give kind and value.")
        member = services.member_with(self.caller.program_id, **given)
        return self._answer(member.pk, status.HTTP_200_OK)

    @extend_schema(
        request=bodies.NewIdentitiesSerializer, responses=bodies.MemberSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def identities(self, request: Request, pk: str) -> Response:
        """Let the member be found by more identities."""
        member = self.get_object()
        body = bodies.NewIdentitiesSerializer(data=self.check_object_body(request))
        body.is_valid(raise_exception=True)
        services.add_identities(
            member,
            [(one["kind"], one["value"]) for one in body.validated_data["identities"]],
        )
        return self._answer(member.pk, status.HTTP_200_OK)

    @extend_schema(responses=bodies.BalanceSerializer(many=True), filters=False)
    @action(detail=True)
    def balances(self, request: Request, pk: str) -> Response:
        """What the member holds of each wallet."""
        accounts = list(self._accounts().values())
        return Response(page_of(bodies.BalanceSerializer(accounts, many=True).data))

    @extend_schema(responses=bodies.EntrySerializer(many=True), filters=False)
    @action(detail=True)
    def entries(self, request: Request, pk: str) -> Response:
        """Movements of the member's points, newest first."""
        accounts = self._accounts()
        rows = Entry.objects.select_related("business_unit").filter(
            Q(credit_account__in=accounts) | Q(debit_account__in=accounts)
        )
        return self._page(rows, bodies.EntrySerializer, accounts)

    @extend_schema(
        responses=bodies.LotSerializer(many=True),
        parameters=[
            OpenApiParameter("is_open", bool, description="Only with points left.")
        ],
        filters=False,
    )
    @action(detail=True)
    def lots(self, request: Request, pk: str) -> Response:
        """The member's credits and what is left of them, newest first."""
        accounts = self._accounts()
        rows = Lot.objects.filter(account__in=accounts)
        is_open = request.query_params.get("is_open", "false")
        if is_open not in {"true", "false"}:
            raise invalid_parameter("is_open", "not_truth", "Say true or false.")
        if is_open == "true":
            is_alive = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
            rows = rows.filter(is_alive, remaining__gt=0)
        return self._page(rows, bodies.LotSerializer, accounts)

    @extend_schema(responses=bodies.StandingSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def tier(self, request: Request, pk: str) -> Response:
        """The tier held, the way to the next one, and the history."""
        member = self.get_object()
        score = _score_of(member)
        rungs = Tier.objects.filter(program_id=member.program_id)
        held = rungs.filter(pk=member.tier_id).first()
        # Above what is held, not above the score: after a change of the tiers they
        # part until the member's next activity.
        above = rungs if held is None else rungs.filter(threshold__gt=held.threshold)
        following = above.order_by("threshold").first()
        missing = None if following is None else max(following.threshold - score, 0)
        standing = {
            "tier": held,
            "score": score,
            "next_tier": following,
            "missing": missing,
            "history": member.tier_history.order_by("-since", "-pk")[:HISTORY_MAX],
        }
        return Response(bodies.StandingSerializer(standing).data)

    @extend_schema(responses=bodies.StaySerializer(many=True), filters=False)
    @action(detail=True)
    def segments(self, request: Request, pk: str) -> Response:
        """Segments that the member is or was in; the newest 200."""
        stays = SegmentMembership.objects.filter(member=self.get_object())
        rows = stays.select_related("segment").order_by("-pk")[:HISTORY_MAX]
        return Response(page_of(bodies.StaySerializer(rows, many=True).data))

    def _answer(self, member_id: int, code: int) -> Response:
        member = self.get_queryset().get(pk=member_id)
        body = bodies.MemberSerializer(member, context=self.get_serializer_context())
        return Response(body.data, status=code)

    def _accounts(self) -> dict[int, Account]:
        rows = Account.objects.as_of(clock.now()).filter(member=self.get_object())
        return {row.pk: row for row in rows.select_related("wallet").order_by("pk")}

    def _page(
        self,
        rows: QuerySet[Any],
        serializer: type[BaseSerializer[Any]],
        accounts: dict[int, Account],
    ) -> Response:
        page = self.paginate_queryset(rows)
        context = {"accounts": accounts, "now": clock.now()}
        body = serializer(page, many=True, context=context)
        return self.get_paginated_response(body.data)


def _score_of(member: Member) -> Decimal:
    accounts = Account.objects.filter(member=member, wallet__counts_for_tier=True)
    earned = accounts.values_list("lifetime_earned", "wallet__decimals")
    return sum(
        (Decimal(points).scaleb(-decimals) for points, decimals in earned), Decimal(0)
    )
