"""What campaigns changed, measured against the members they hold out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from activities.services.effect import (
    assignment_lines,
    groups_of,
    measure_effect,
    verdict,
)
from campaigns.models import Campaign
from loyalty.api.fields import MomentField, NumberField
from loyalty.api.permissions import HasScope, IsForEveryUnit
from loyalty.api.problems import STATUS_OF_REFUSAL, invalid_parameter
from loyalty.api.views import ProgramViewSet
from loyalty.services import clock

if TYPE_CHECKING:
    from rest_framework.request import Request

    from activities.services.effect import Cost, Effect, Measure

STATUS_OF_REFUSAL.update({"no_holdout": 409, "not_yet_measurable": 409})

UNTIL = OpenApiParameter(
    "until",
    OpenApiTypes.DATETIME,
    description="End of the period; left out, the campaign's own, or now.",
)
NOT_MEASURABLE = OpenApiResponse(
    description="It holds nobody out (`no_holdout`), or has not begun "
    "(`not_yet_measurable`)."
)
POINT_COST = OpenApiParameter(
    "point_cost",
    OpenApiTypes.DECIMAL,
    description="What a point costs, in money; then costs are told in money too.",
)


class IntervalAnswer(serializers.Serializer[Any]):
    """Where the true difference lies, with 95 % confidence."""

    low = serializers.FloatField()
    high = serializers.FloatField()


class MeasureAnswer(serializers.Serializer[Any]):
    """One thing measured, per member."""

    name = serializers.ChoiceField(choices=["visits", "value", "points"])
    wallet = serializers.CharField(allow_null=True, help_text="Of points: its code.")
    treated_mean = serializers.FloatField(help_text="Of those who could take part.")
    held_out_mean = serializers.FloatField()
    certainty = serializers.ChoiceField(
        choices=["measured", "too_few_members", "no_variation"]
    )
    difference = serializers.FloatField(help_text="Treated less held out, per member.")
    interval = IntervalAnswer(allow_null=True)
    is_significant = serializers.BooleanField(
        help_text="Whether the interval leaves out no difference at all."
    )
    relative = serializers.FloatField(
        allow_null=True, help_text="The difference as a part of the held-out mean."
    )
    difference_in_all = serializers.FloatField(
        help_text="The difference times those who could take part."
    )


class CostAnswer(serializers.Serializer[Any]):
    """What the campaign gave in one wallet."""

    wallet = serializers.CharField()
    points = NumberField(help_text="Given by this campaign.")
    money = serializers.FloatField(allow_null=True)
    points_per_visit = serializers.FloatField(
        allow_null=True,
        help_text="Points beyond the held-out by visits beyond them; null while no "
        "more visits are certain.",
    )
    money_per_visit = serializers.FloatField(allow_null=True)


class EffectAnswer(serializers.Serializer[Any]):
    """What a campaign changed over a period."""

    campaign = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Outside.")
    holdout_percent = NumberField()
    holdout_salt = serializers.CharField(
        help_text="Which members are held out follows from it and the percentage."
    )
    treated_count = serializers.IntegerField()
    held_out_count = serializers.IntegerField()
    measures = MeasureAnswer(many=True)
    costs = CostAnswer(many=True)
    verdict = serializers.ListField(
        child=serializers.CharField(), help_text="The same in sentences."
    )


class EffectViewSet(ProgramViewSet):
    """The measured effect of campaigns; each member of the program is looked at."""

    queryset = Campaign.objects.select_related(
        "minimum_tier", "group"
    ).prefetch_related("included_segments", "excluded_segments")
    permission_classes = [HasScope, IsForEveryUnit]
    pagination_class = None  # type: ignore[assignment]
    serializer_class = EffectAnswer
    http_method_names = ["get", "head"]

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        known = super().known_parameters() | {"until"}
        return known | {"point_cost"} if self.action == "effect" else known

    @extend_schema(
        responses={200: EffectAnswer, 409: NOT_MEASURABLE},
        parameters=[UNTIL, POINT_COST],
        filters=False,
    )
    @action(detail=True)
    def effect(self, request: Request, pk: str) -> Response:
        """What the campaign changed, against the members that it holds out.

        Means per member, their differences with 95 % intervals (Welch), and what an
        additional visit cost. 409 if it holds nobody out or has not begun.
        """
        campaign = self.get_object()
        point_cost = self._asked("point_cost", NumberField())
        if point_cost is not None and point_cost <= 0:
            raise invalid_parameter(
                "point_cost", "not_positive", "A point costs something."
            )
        effect = measure_effect(
            campaign,
            now=clock.now(),
            until=self._asked("until", MomentField()),
            point_cost=point_cost,
        )
        return Response(EffectAnswer(_body_of(campaign, effect)).data)

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR, 409: NOT_MEASURABLE},
        parameters=[UNTIL],
        filters=False,
    )
    @action(detail=True, url_path="effect/groups")
    def groups(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Who is in which group, as CSV: number, `treated` or `held_out`, since when.

        The groups can be recomputed: `held_out` are those of whom the first 48 bits
        of SHA-256 of `salt:member`, times 10,000, shifted right by 48, are below
        the share in 1/10,000.
        """
        groups = groups_of(
            self.get_object(),
            now=clock.now(),
            until=self._asked("until", MomentField()),
        )
        return StreamingHttpResponse(
            assignment_lines(groups),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="groups.csv"'},
        )

    def _asked(self, name: str, field: serializers.Field[Any, Any, Any, Any]) -> Any:
        text = self.request.query_params.get(name)
        if text is None:
            return None
        field.bind(name, serializers.Serializer(context=self.get_serializer_context()))
        try:
            return field.run_validation(text)
        except serializers.ValidationError as error:
            details: Any = error.detail
            raise invalid_parameter(name, details[0].code, details[0]) from None


def _body_of(campaign: Campaign, effect: Effect) -> dict[str, Any]:
    return {
        "campaign": campaign.pk,
        "starts_at": effect.period.start,
        "ends_at": effect.period.end,
        "holdout_percent": campaign.holdout_percent,
        "holdout_salt": campaign.holdout_salt,
        "treated_count": effect.treated_count,
        "held_out_count": effect.held_out_count,
        "measures": [_measure_body(one) for one in effect.measures],
        "costs": [_cost_body(one) for one in effect.costs],
        "verdict": verdict(effect),
    }


def _measure_body(measure: Measure) -> dict[str, Any]:
    found = measure.comparison
    return {
        "name": measure.name,
        "wallet": measure.wallet.code if measure.wallet else None,
        "treated_mean": measure.treated.mean,
        "held_out_mean": measure.held_out.mean,
        "certainty": found.certainty.value,
        "difference": found.difference,
        "interval": None
        if found.low is None
        else {"low": found.low, "high": found.high},
        "is_significant": found.is_significant,
        "relative": found.relative,
        "difference_in_all": measure.in_all(found.difference),
    }


def _cost_body(cost: Cost) -> dict[str, Any]:
    return {
        "wallet": cost.wallet.code,
        "points": cost.points,
        "money": cost.money,
        "points_per_visit": cost.per_visit,
        "money_per_visit": cost.money_per_visit,
    }
