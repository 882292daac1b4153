"""Reward methods inside the body of their campaign.

``methods`` is the whole set: a row with an ``id`` changes in what is sent, one
without is added, one that is not named is removed. Left out, all stay.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.settings import api_settings

from campaigns.models import AssignedGroup, Campaign, RewardMethod
from campaigns.services import composing
from loyalty.api.bases import RowSerializer
from loyalty.api.bodies import escaped
from loyalty.api.fields import RowId, RowIds, WholeNumberField
from loyalty.api.problems import Problem, wrong
from loyalty.api.serializers import OFFER_FIELDS
from loyalty.engine.facts import OfferKind
from loyalty.models import BusinessUnit, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS_MAX = 100
METHODS_IN_ADVANCE = Prefetch(
    "methods",
    RewardMethod.objects.order_by("pk").prefetch_related(*composing.METHOD_LINKS),
)
_NOT_OF_METHODS = {"code", "required_attempts"}


class MethodSerializer(RowSerializer):
    """One reward method: what it gives, how often, to whom.

    Without a wallet the points go into the campaign's.
    """

    id = WholeNumberField(required=False, min_value=1)
    redeem_group = RowId(
        queryset=AssignedGroup.objects.all(), required=False, allow_null=True
    )
    included_segments = RowIds(queryset=Segment.objects.all(), required=False)
    excluded_segments = RowIds(queryset=Segment.objects.all(), required=False)
    qualify_groups = RowIds(queryset=AssignedGroup.objects.all(), required=False)
    business_units = RowIds(queryset=BusinessUnit.objects.all(), required=False)

    class Meta:
        model = RewardMethod
        fields = (
            *(name for name in OFFER_FIELDS if name not in _NOT_OF_METHODS),
            "voucher_type",
            "title",
            "details",
            "image_url",
            "weight",
            "usage_limit",
            "usage_cost",
            "usage_cost_wallet",
            "distribution",
            "redeem_group",
            "qualify_groups",
            "included_segments",
            "excluded_segments",
            "business_units",
            "currencies",
            "minimum_value",
            "maximum_value",
            "weekdays",
            "opens_at",
            "closes_at",
        )
        extra_kwargs = {"wallet": {"required": False}}

    def own(self) -> dict[str, Any]:
        """Return program and discriminator; the constraints look at both."""
        return {**super().own(), "kind": OfferKind.REWARD_METHOD.value}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check what a new row needs even where a campaign is only changed."""
        if "id" not in attrs and "name" not in attrs:
            raise serializers.ValidationError(
                {"name": "This field is required."}, "required"
            )
        try:
            return super().validate(attrs)
        except Problem as problem:
            # The serializer of the campaign knows which row of the body this is.
            raise serializers.ValidationError(_by_field(problem)) from None

    def _candidate(self, attrs: dict[str, Any]) -> Any:
        row = self._stored(attrs.get("id")) or RewardMethod(**self.own())
        return with_values(row, attrs)

    def _stored(self, number: int | None) -> RewardMethod | None:
        if number is None:
            return None
        campaign = getattr(self.root, "instance", None)
        if isinstance(campaign, Campaign):
            found = RewardMethod.objects.filter(parent=campaign, pk=number).first()
            if found is not None:
                return found
        detail = f"The campaign has no reward method {number}."
        raise serializers.ValidationError({"id": [detail]}, "does_not_exist")


def _by_field(problem: Problem) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for one in problem.errors:
        name = one["pointer"].removeprefix("/") or api_settings.NON_FIELD_ERRORS_KEY
        found[name].append(serializers.ErrorDetail(one["detail"], one["code"]))
    return found


def with_values(row: Any, values: dict[str, Any]) -> Any:
    """Return the row with what was sent, its links apart."""
    for name, value in values.items():
        if name != "id" and name not in composing.METHOD_LINKS:
            setattr(row, name, value)
    return row


def named_twice(sent: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Return the places of the body that name a reward method once more."""
    numbers = [values.get("id") for values in sent]
    for place, number in enumerate(numbers):
        if number is not None and number in numbers[:place]:
            sentence = f"The reward method {number} is named twice."
            yield wrong(f"/methods/{place}/id", "named_twice", sentence)


def parts_of(
    campaign: Campaign, sent: list[dict[str, Any]] | None
) -> list[composing.Part]:
    """Return the reward methods as they would be saved."""
    stored = composing.saved_parts(campaign)[1] if campaign.pk else []
    if sent is None:
        return stored
    known = {part.row.pk: part for part in stored}
    parts = []
    for values in sent:
        part = known.get(values.get("id")) or composing.Part(RewardMethod())
        links = {
            name: values[name] for name in values.keys() & set(composing.METHOD_LINKS)
        }
        row = with_values(part.row, values)
        parts.append(composing.Part(row, {**part.links, **links}))
    return parts


def misfits(
    campaign: Campaign, links: dict[str, Any], methods: list[composing.Part]
) -> Iterator[dict[str, str]]:
    """Return what does not go together, as parts of the body that are wrong."""
    own = {**composing.links_of(campaign), **links}
    for one in composing.problems_of(composing.Part(campaign, own), methods):
        pointer = "".join(f"/{escaped(str(name))}" for name in one.path)
        yield wrong(pointer, one.code, one.sentence)


def save_methods(campaign: Campaign, sent: list[dict[str, Any]]) -> None:
    """Make the campaign's reward methods what was sent; inside a transaction.

    Raises:
        ProtectedError: one that is not named any more has given something.
    """
    kept = {values["id"] for values in sent if "id" in values}
    for row in campaign.methods.exclude(pk__in=kept):
        row.delete()
    stored = campaign.methods.in_bulk()
    for values in sent:
        row = stored.get(values.get("id", 0)) or RewardMethod(
            parent=campaign, wallet=campaign.wallet
        )
        with_values(row, values).save()
        for name in composing.METHOD_LINKS:
            if name in values:
                getattr(row, name).set(values[name])
