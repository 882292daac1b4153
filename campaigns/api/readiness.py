"""The report on a campaign, over the API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from campaigns.services.readiness import readiness_of
from loyalty.api.problems import Problem, invalid, wrong
from loyalty.engine.readiness import Severity
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from campaigns.models import Campaign
    from loyalty.engine.readiness import Finding, Report


class CostSerializer(serializers.Serializer[Any]):
    """What a client may say about money."""

    cost_per_point = serializers.DecimalField(
        max_digits=18,
        decimal_places=6,
        min_value=Decimal(0),
        required=False,
        help_text="What a point of the campaign's wallet costs, in money.",
    )


def asked_in(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return what a client says about money in the query.

    Raises:
        Problem: 400, it cannot be read.
    """
    asked = CostSerializer(data=parameters)
    if asked.is_valid():
        values: dict[str, Any] = asked.validated_data
        return values
    raise invalid(
        [
            {"parameter": name, "code": error.code, "detail": str(error)}
            for name, errors in asked.errors.items()
            for error in errors
        ]
    )


class FindingSerializer(serializers.Serializer[Any]):
    """One finding."""

    severity = serializers.ChoiceField(choices=[one.value for one in Severity])
    code = serializers.CharField(help_text="Stable; the text may change.")
    text = serializers.CharField()
    field = serializers.CharField(help_text="Where to change it; may be empty.")
    reward_method = serializers.IntegerField(
        allow_null=True, help_text="The number of the reward method it is about."
    )


class ReadinessSerializer(serializers.Serializer[Any]):
    """What was found about a campaign, the gravest first, and what it may cost."""

    is_ready = serializers.BooleanField(help_text="Nothing stops you.")
    findings = FindingSerializer(many=True)
    figures = FindingSerializer(many=True)


def refuse_unready(campaign: Campaign) -> None:
    """Refuse to enable a campaign that cannot work; inside the writing transaction.

    Raises:
        Problem: the report names what stops it.
    """
    report = readiness_of(campaign, now=clock.now(), is_committed=False)
    stops = [one for one in report.findings if one.severity is Severity.STOP]
    if not stops:
        return
    raise Problem(
        422,
        "campaign_not_ready",
        f"It cannot work as it is: {' '.join(one.text for one in stops)} Nothing was "
        "saved. Save it disabled, or send “enable_anyway”: true.",
        errors=[wrong(_pointer(one, campaign.pk), one.code, one.text) for one in stops],
    )


def _pointer(finding: Finding, campaign_id: int) -> str:
    if finding.offer_id not in {None, campaign_id}:
        return "/methods"
    return f"/{finding.field}" if finding.field else ""


def body_of(report: Report, campaign_id: int) -> dict[str, Any]:
    """Return the report as the API tells it."""
    return {
        "is_ready": not report.stops,
        "findings": [_told(one, campaign_id) for one in report.findings],
        "figures": [_told(one, campaign_id) for one in report.figures],
    }


def _told(finding: Finding, campaign_id: int) -> dict[str, Any]:
    is_own = finding.offer_id in {None, campaign_id}
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "text": finding.text,
        "field": finding.field,
        "reward_method": None if is_own else finding.offer_id,
    }
