"""The bodies of the contract for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from activities.contracts.crowdtwist.bodies import IDENTITY_KINDS, POINTS_MAX

ID_TYPE = OpenApiParameter(
    "id_type",
    str,
    enum=["id", *sorted(IDENTITY_KINDS)],
    description="By what the path names the member; left out, by its number.",
)
PAGE = OpenApiParameter(
    "page",
    int,
    description="Counted from 1. What is no integer means 1; out of range, the page "
    "is empty and leads back.",
)
PAGE_SIZE = OpenApiParameter(
    "page_size", int, description="Larger than allowed counts as the largest."
)
PAGE_NUMBER = OpenApiParameter(
    "page_number", int, description="Only together with page_size."
)
HISTORY_PAGE_SIZE = OpenApiParameter(
    "page_size", int, description="Only together with page_number."
)
DATES = [
    OpenApiParameter(
        "date_start", int, description="Seconds since 1970; the second is inside."
    ),
    OpenApiParameter(
        "date_end", int, description="Seconds since 1970; the second is outside."
    ),
]


def _text(*, may_be_null: bool = False, **options: Any) -> serializers.CharField:
    return serializers.CharField(allow_null=may_be_null, **options)


def _number(*, may_be_null: bool = False, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=may_be_null, **options)


def _free() -> serializers.DictField:
    return serializers.DictField(allow_null=True)


class PlainActivity(serializers.Serializer[Any]):
    """An activity of the catalogue in the plain list."""

    id = _text()
    title = _text()
    description = _text()
    num_points = _number()
    image = _text(may_be_null=True)
    category_id = _text(may_be_null=True)
    type_id = _text()
    extra_data = _free()
    date_start = _number(may_be_null=True, help_text="Seconds since 1970.")
    date_end = _number(may_be_null=True, help_text="Seconds since 1970.")
    min_tier_id = _number(may_be_null=True)
    show_as_locked_by_tier = serializers.BooleanField()


class PlainActivityOfMember(PlainActivity):
    """An activity in a member's plain list; its number is an integer here."""

    id = _number()  # type: ignore[assignment]
    is_locked = serializers.BooleanField()


class ExtendedActivity(PlainActivity):
    """An activity of the catalogue with everything that is known of it."""

    name = _text()
    category_name = _text(may_be_null=True)
    type_name = _text()
    activity_channel_id = _text(may_be_null=True)
    activity_channel_name = _text(may_be_null=True)
    freq_cap = _text(may_be_null=True)
    freq_period_id = _text(may_be_null=True)
    freq_period_name = _text(may_be_null=True)
    freq_num_required_attempts = _text(may_be_null=True)
    redirect_url = _text(may_be_null=True)
    points_on_click = serializers.BooleanField()
    action_tags = _text(may_be_null=True)
    public_title = _text()
    public_description = _text()
    partner_info = inline_serializer(
        "CrowdTwistPartner", {"id": _number(), "name": _text()}, allow_null=True
    )
    segment = inline_serializer(
        "CrowdTwistSegment",
        {
            "name": _text(),
            "subscription_id": _number(),
            "eligibility_type": serializers.ChoiceField(["inclusion", "exclusion"]),
        },
        allow_null=True,
    )
    activity_tags = inline_serializer(
        "CrowdTwistTag", {"tag_name": _text(), "tag_id": _number()}, many=True
    )


class ExtendedActivityOfMember(ExtendedActivity):
    """An activity as one member is shown it."""

    is_locked = serializers.BooleanField(help_text="The member is below the tier.")


class Paging(serializers.Serializer[Any]):
    """Where a page stands; links carry an empty key."""

    total = _number()
    pages = _number()
    next_page = serializers.URLField(allow_null=True)
    prev_page = serializers.URLField(allow_null=True)
    previous_page = serializers.URLField(
        allow_null=True, help_text="The same as prev_page."
    )


class CataloguePage(serializers.Serializer[Any]):
    """A page of the catalogue."""

    paging = Paging()
    activities = ExtendedActivity(many=True)


class MemberCataloguePage(serializers.Serializer[Any]):
    """A page of what one member is shown."""

    paging = Paging()
    activities = ExtendedActivityOfMember(many=True)


class HistoryEntry(serializers.Serializer[Any]):
    """Something a member did."""

    activity_id = _text()
    date_created = _text(help_text="Seconds since 1970: when it was recorded.")
    date_awarded = _text(
        may_be_null=True,
        help_text="Seconds since 1970: the moment it counts for. Null if it earned "
        "nothing.",
    )
    name = _text()
    num_points = _number()
    show_as_locked_by_tier = serializers.BooleanField()
    min_tier_id = _number(may_be_null=True)
    extra_data = _free()


class NewCredit(serializers.Serializer[Any]):
    """What to credit."""

    activity_id = _text()
    activity_date = _number(
        required=False,
        may_be_null=True,
        help_text="Seconds since 1970; only where the program lets credits be dated.",
    )
    num_points = _number(
        required=False,
        may_be_null=True,
        min_value=0,
        max_value=POINTS_MAX,
        help_text="Points in place of those that the activity is worth.",
    )
    extra_data = serializers.DictField(required=False, allow_null=True)


class Accepted(serializers.Serializer[Any]):
    """The credit was accepted; whether it earned anything is told by the history."""

    awarded = serializers.BooleanField()
