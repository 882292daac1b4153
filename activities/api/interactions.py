"""Interactions: a member plays a campaign; what came of it, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_filters
from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response

from activities.api import interaction_bodies as bodies
from activities.api.activities import EXPLAIN, explains
from activities.api.commands import SOURCE, check_members
from activities.api.members import member_in
from activities.models import Interaction
from activities.services.interacting import interact
from activities.services.interactions import (
    InsufficientPoints,
    Interact,
    UnknownCampaign,
)
from campaigns.models import Campaign
from loyalty.api.authentication import Caller
from loyalty.api.filters import MomentFilter, NumberFilter
from loyalty.api.idempotency import idempotent, sent_key
from loyalty.api.pagination import NewestFirst
from loyalty.api.permissions import HasScope
from loyalty.api.problems import Problem
from loyalty.api.views import ProgramViewSet
from loyalty.services import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

_MEMBERS = frozenset({"member"})
_CAMPAIGN = OpenApiParameter(
    "campaign_id", int, OpenApiParameter.PATH, description="Number of the campaign."
)


class MayInteract(HasScope):
    """Interacting needs the write scope, or the one to interact."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise the problem that says what is missing."""
        caller = request.auth
        if isinstance(caller, Caller) and caller.can_interact:
            return True
        return super().has_permission(request, view)


class CampaignInteractionViewSet(ProgramViewSet):
    """Interactions with one campaign: a scratch, a spin, points for a prize.

    A key bound to business units interacts with campaigns of these and of none.
    """

    queryset = Interaction.objects.all()
    serializer_class = bodies.InteractionAnswer
    permission_classes = [MayInteract]
    http_method_names = ["post"]
    parameters = frozenset({"explain"})

    @extend_schema(
        request=bodies.NewInteraction,
        responses={201: bodies.InteractionAnswer},
        parameters=[_CAMPAIGN, EXPLAIN],
    )
    @idempotent
    def create(self, request: Request, campaign_id: str) -> Response:
        """Let a member interact with a campaign; pay its price, give what is won.

        Send an `Idempotency-Key`: without one, every call counts. 409
        `campaign_not_active` outside its dates or its context, 403
        `not_in_audience` if it is for others, 409 `already_redeemed` if the member
        has had everything, 409 `campaign_fully_redeemed` if nothing is left for
        anybody, 409 `insufficient_points` below the price. Nothing is written then.
        """
        explain = explains(request)
        body = self.check_object_body(request)
        check_members(body, _MEMBERS, "")
        self._check_campaign(int(campaign_id))
        member = member_in(self.caller.program_id, body.get("member"))
        command = Interact(
            campaign_id=int(campaign_id),
            member_id=member.pk,
            source=SOURCE,
            key=sent_key(request) or "",
            actor=self.caller.actor,
            mode="api",
        )
        now = clock.now()
        try:
            interacted = interact(self.caller.program_id, command, now=now)
        except InsufficientPoints as error:
            raise bodies.too_few_points(error, self.caller.program_id) from None
        if interacted.is_fully_redeemed:
            detail = "The member has had every reward of this campaign."
            raise Problem(409, "already_redeemed", detail)
        if interacted.interaction_id is None:
            raise AssertionError("What happened has a number.")
        row = Interaction.objects.get(pk=interacted.interaction_id)
        answer = bodies.whole_body(row, explain=explain)
        return Response(answer, status=status.HTTP_201_CREATED)

    def _check_campaign(self, campaign_id: int) -> None:
        campaign = Campaign.objects.filter(
            program_id=self.caller.program_id, pk=campaign_id
        ).first()
        if campaign is None:
            raise UnknownCampaign(f"There is no campaign {campaign_id}.")
        unit_ids, unit_id = self.caller.unit_ids, campaign.business_unit_id
        if unit_ids and unit_id is not None and unit_id not in unit_ids:
            raise Problem(
                403,
                "business_unit_not_allowed",
                "This campaign is of a business unit that the API key is not bound to.",
            )


class InteractionFilters(django_filters.FilterSet):
    """How interactions are found."""

    campaign = NumberFilter(field_name="campaign_id", label="Number of the campaign.")
    member = NumberFilter(field_name="member_id", label="Number of the member.")
    source = django_filters.CharFilter(label="The surface it came through.")
    key = django_filters.CharFilter(label="The caller's key.")
    occurred_from = MomentFilter(
        field_name="occurred_at", lookup_expr="gte", label="From this moment on."
    )
    occurred_until = MomentFilter(
        field_name="occurred_at", lookup_expr="lt", label="Before this moment."
    )

    class Meta:
        model = Interaction
        fields: tuple[str, ...] = ()


class InteractionViewSet(ProgramViewSet):
    """What members won by interacting with campaigns.

    A key bound to business units sees those with campaigns of these and of none.
    """

    queryset = Interaction.objects.all()
    serializer_class = bodies.StoredInteraction
    filterset_class = InteractionFilters
    pagination_class = NewestFirst
    http_method_names = ["get", "head"]

    def get_queryset(self) -> QuerySet[Interaction]:
        """Return the interactions that the key may see."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False) or not self.caller.unit_ids:
            return rows
        mine = Q(campaign__business_unit_id__in=self.caller.unit_ids)
        return rows.filter(mine | Q(campaign__business_unit_id=None))

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        known = super().known_parameters()
        return known | {"explain"} if self.action == "retrieve" else known

    @extend_schema(responses=bodies.StoredInteraction(many=True))
    def list(self, request: Request) -> Response:
        """Interactions, newest first."""
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(rows) or []
        decimals = bodies.decimals_in(self.caller.program_id)
        return self.get_paginated_response(
            [bodies.stored_body(row, decimals) for row in page]
        )

    @extend_schema(responses=bodies.InteractionAnswer, parameters=[EXPLAIN])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One interaction and what was won; with `explain=1`, why."""
        explain = explains(request)
        return Response(bodies.whole_body(self.get_object(), explain=explain))
