"""``GET /v2.1/activities/extended`` and its relations: what is listed, and how."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import ActivityType, Kind, KindNumber, Segment
from tests.builders import (
    NOON,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
)
from tests.contracts.crowdtwist.client import (
    CrowdTwist,
    error_in,
    everything,
    fixed,
    listed,
    payload,
    redeemed_a_code,
)

pytestmark = pytest.mark.django_db

CATALOGUE = "/v2.1/activities/extended"
KEYS = {
    *payload("watched_a_video"),
    "id",
}


def only(response):
    """Return the one activity in a response."""
    (row,) = response.json()["activities"]
    return row


def test_the_sample_of_the_source_is_answered_to_the_type(program, crowdtwist):
    row = redeemed_a_code(program)

    shown = only(crowdtwist.get(CATALOGUE))

    tags = list(row.tags.order_by("pk"))
    assert shown == {
        **payload("redeemed_a_code"),
        "id": str(row.pk),
        "min_tier_id": row.minimum_tier_id,
        "partner_info": {"id": row.partner_id, "name": "Acme Car Rentals"},
        "segment": {
            "name": "Canada Members",
            "subscription_id": row.segment_id,
            "eligibility_type": "inclusion",
        },
        "activity_tags": [
            {"tag_name": "Retail", "tag_id": tags[0].pk},
            {"tag_name": "Sports", "tag_id": tags[1].pk},
        ],
    }


def test_fields_that_the_sample_leaves_null_are_answered_to_the_type(
    program, crowdtwist
):
    row = everything(program)

    assert only(crowdtwist.get(CATALOGUE)) == {
        **payload("watched_a_video"),
        "id": str(row.pk),
    }


def test_t07_every_key_is_always_there_and_null_is_allowed(program, crowdtwist):
    fixed(program, "bare")

    shown = only(crowdtwist.get(CATALOGUE))

    assert set(shown) == KEYS
    never_null = KEYS - {
        "image",
        "category_id",
        "category_name",
        "activity_channel_id",
        "activity_channel_name",
        "freq_cap",
        "freq_period_id",
        "freq_period_name",
        "freq_num_required_attempts",
        "redirect_url",
        "action_tags",
        "date_start",
        "date_end",
        "extra_data",
        "min_tier_id",
        "partner_info",
        "segment",
    }
    assert all(shown[name] is not None for name in never_null)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("id", str),
        ("name", str),
        ("title", str),
        ("description", str),
        ("num_points", int),
        ("image", str),
        ("category_id", str),
        ("category_name", str),
        ("type_id", str),
        ("type_name", str),
        ("freq_cap", str),
        ("freq_period_id", str),
        ("freq_period_name", str),
        ("points_on_click", bool),
        ("date_start", int),
        ("min_tier_id", int),
        ("show_as_locked_by_tier", bool),
        ("public_title", str),
        ("public_description", str),
        ("partner_info", dict),
        ("segment", dict),
        ("activity_tags", list),
    ],
)
def test_t04_types_follow_the_sample(program, crowdtwist, name, kind):
    redeemed_a_code(program)

    assert type(only(crowdtwist.get(CATALOGUE))[name]) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("activity_channel_id", str),
        ("activity_channel_name", str),
        ("freq_num_required_attempts", str),
        ("redirect_url", str),
        ("points_on_click", bool),
        ("action_tags", str),
        ("date_end", int),
        ("extra_data", dict),
    ],
)
def test_t04_types_that_the_sample_does_not_show(program, crowdtwist, name, kind):
    everything(program)

    assert type(only(crowdtwist.get(CATALOGUE))[name]) is kind


def test_t02_tags_have_the_name_of_the_sample_only(program, crowdtwist):
    fixed(program, "bare")

    shown = only(crowdtwist.get(CATALOGUE))

    assert shown["activity_tags"] == []
    assert "activity_tag" not in shown


def test_t03_the_cap_stands_once(program, crowdtwist):
    redeemed_a_code(program)

    text = crowdtwist.get(CATALOGUE).content.decode()

    assert [text.count(f'"{name}"') for name in ("freq_cap", "freq_period_id")] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("key", "extended", "plain"),
    [
        ("facebook", ("1", "Facebook"), "1"),
        ("merchandise", ("2", "Merchandise"), "2"),
        ("music", ("3", "Music"), "3"),
        ("tickets", ("4", "Tickets"), "5"),
        ("twitter", ("5", "Twitter"), "6"),
        ("your-site", ("6", "Your Site"), "7"),
        ("check-in", ("7", "Check-In"), "8"),
        ("code-redemption", ("8", "Code Redemption"), "9"),
    ],
)
def test_t05_the_two_lists_number_the_kinds_differently(
    program, crowdtwist, key, extended, plain
):
    fixed(program, "typed", type_kind=Kind.objects.get(key=key))

    shown = only(crowdtwist.get(CATALOGUE))
    (short,) = crowdtwist.get("/v2/activities").json()

    assert (shown["type_id"], shown["type_name"]) == extended
    assert short["type_id"] == plain


def test_t05_an_edited_number_and_its_name_come_from_the_same_row(program, crowdtwist):
    site = Kind.objects.get(key="your-site")
    fixed(program, "typed", type_kind=site)
    KindNumber.objects.filter(numbering="extended", number=7).update(number=70)
    KindNumber.objects.filter(numbering="extended", kind=site).update(
        number=7, name="Our Site"
    )

    shown = only(crowdtwist.get(CATALOGUE))

    assert (shown["type_id"], shown["type_name"]) == ("7", "Our Site")


def test_a_type_without_a_kind_is_your_site(program, crowdtwist):
    fixed(program, "untyped")

    shown = only(crowdtwist.get(CATALOGUE))

    assert (shown["type_id"], shown["type_name"]) == ("6", "Your Site")


def test_t06_the_second_channel_is_spelled_as_in_the_source(program, crowdtwist):
    fixed(program, "redeemed", reporting_channel_id=2)

    shown = only(crowdtwist.get(CATALOGUE))

    assert shown["activity_channel_id"] == "2"
    assert shown["activity_channel_name"] == "Code redemption cap"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "24 Hours"),
        (2, "One Calendar Day"),
        (3, "Seven Calendar Days"),
        (4, "One Calendar Week"),
        (5, "Lifetime"),
        (6, "One Calendar Month"),
        (7, "One Calendar Year"),
        (8, "365 Days"),
        (9, "30 Days"),
        (10, "90 Days"),
        (11, "180 Days"),
    ],
)
def test_t08_periods_have_the_numbers_and_names_of_the_list_inactive_ones_too(
    program, crowdtwist, number, name
):
    fixed(program, "capped", cap_count=1, frequency_period_id=number)

    shown = only(crowdtwist.get(CATALOGUE))

    assert shown["freq_cap"] == "1"
    assert shown["freq_period_id"] == str(number)
    assert shown["freq_period_name"].lower() == name.lower()


def test_public_texts_fall_back_to_title_and_description(program, crowdtwist):
    fixed(program, "inner", title="Title", description="Text")

    shown = only(crowdtwist.get(CATALOGUE))

    assert (shown["public_title"], shown["public_description"]) == ("Title", "Text")


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        pytest.param({"points": 2000}, 2000, id="fixed"),
        pytest.param({"reward_method": "per_value", "points": 5}, 5, id="per value"),
        pytest.param({"reward_method": "nothing", "points": 5}, 0, id="nothing"),
    ],
)
def test_points_are_a_whole_number(program, crowdtwist, fields, points):
    fixed(program, "paying", **fields)

    assert only(crowdtwist.get(CATALOGUE))["num_points"] == points


def test_points_of_a_wallet_with_decimals_are_cut_to_whole_ones(program, crowdtwist):
    wallet = make_wallet(program, code="fine", decimals=2)
    fixed(program, "paying", wallet=wallet, points="2.75")

    assert only(crowdtwist.get(CATALOGUE))["num_points"] == 2


@pytest.mark.parametrize(
    ("fields", "is_listed"),
    [
        pytest.param({}, True, id="no dates"),
        pytest.param({"starts_at": NOON}, True, id="the start is inside"),
        pytest.param({"starts_at": NOON + timedelta(seconds=1)}, False, id="future"),
        pytest.param({"ends_at": NOON}, False, id="the end is outside"),
        pytest.param({"ends_at": NOON + timedelta(seconds=1)}, True, id="not ended"),
        pytest.param({"is_enabled": False, "starts_at": NOON}, False, id="off"),
        pytest.param({"needs_review": True}, False, id="nobody looked at it"),
    ],
)
def test_only_active_activities_are_listed(program, crowdtwist, fields, is_listed):
    fixed(program, "maybe", **fields)

    assert listed(crowdtwist.get(CATALOGUE)) == (["maybe"] if is_listed else [])
    assert listed(crowdtwist.get("/v2/activities")) == (["maybe"] if is_listed else [])


def test_t15_tier_and_segment_do_not_filter_the_list_of_the_program(
    program, crowdtwist
):
    fixed(program, "gold", minimum_tier=make_tier(program, "Gold", 1_000))
    fixed(program, "nobody", segment=make_segment(program), segment_mode="inclusion")

    assert listed(crowdtwist.get(CATALOGUE)) == ["gold", "nobody"]


def test_activities_are_in_the_order_of_their_ids(program, crowdtwist):
    for name in ("c", "a", "b"):
        fixed(program, name)

    assert listed(crowdtwist.get(CATALOGUE)) == ["c", "a", "b"]


def test_activities_of_another_program_are_not_listed(crowdtwist):
    fixed(make_program(), "foreign")

    assert listed(crowdtwist.get(CATALOGUE)) == []


def test_a_key_bound_to_a_unit_sees_its_activities_and_those_of_none(program):
    grocery, fashion = make_unit(program), make_unit(program, "fashion")
    fixed(program, "ours", business_unit=grocery)
    fixed(program, "theirs", business_unit=fashion)
    fixed(program, "everybody's")
    bound = CrowdTwist(program, units=[grocery])

    assert listed(bound.get(CATALOGUE)) == ["ours", "everybody's"]


def test_a_renamed_segment_keeps_its_number(program, crowdtwist):
    row = redeemed_a_code(program)
    Segment.objects.update(name="Maple Members")

    assert only(crowdtwist.get(CATALOGUE))["segment"] == {
        "name": "Maple Members",
        "subscription_id": row.segment_id,
        "eligibility_type": "inclusion",
    }


def test_the_plain_list_has_its_own_fields_and_no_pages(program, crowdtwist):
    row = redeemed_a_code(program)
    for number in range(30):
        fixed(program, f"more {number}")

    rows = crowdtwist.get("/v2/activities").json()

    assert len(rows) == 31
    assert rows[0] == {
        "id": str(row.pk),
        "title": "Redeemed a Code",
        "description": "Redeemed a Code",
        "num_points": 1000,
        "image": "https://cdn.example.com/img/image.jpg",
        "category_id": "4",
        "type_id": "2",
        "extra_data": None,
        "date_start": 1506830400,
        "date_end": None,
        "min_tier_id": row.minimum_tier_id,
        "show_as_locked_by_tier": True,
    }


def test_one_activity_is_the_same_object_without_paging(program, crowdtwist):
    row = redeemed_a_code(program)

    shown = crowdtwist.get(f"/v2/activities/{row.pk}/extended")

    assert shown.status_code == 200
    assert shown.json() == only(crowdtwist.get(CATALOGUE))


def test_one_activity_is_told_after_it_ended(program, crowdtwist):
    row = fixed(program, "over", ends_at=NOON)

    shown = crowdtwist.get(f"/v2/activities/{row.pk}/extended").json()

    assert shown["date_end"] == int(NOON.timestamp())


@pytest.mark.parametrize("number", ["0", "999999999999999999", "9" * 40, "abc", "-1"])
def test_an_activity_that_does_not_exist_is_not_found(crowdtwist, number):
    response = crowdtwist.get(f"/v2/activities/{number}/extended")

    assert error_in(response, 404, "page_not_found") == "Activity does not exist."


def test_an_activity_of_another_program_is_not_found(crowdtwist):
    row = fixed(make_program(), "foreign")

    error_in(crowdtwist.get(f"/v2/activities/{row.pk}/extended"), 404, "page_not_found")


@pytest.mark.parametrize("path", [f"{CATALOGUE}?page_size=25", "/v2/activities"])
def test_the_number_of_queries_does_not_grow_with_the_list(program, crowdtwist, path):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert crowdtwist.get(path).status_code == 200
        return len(captured)

    segments = make_segment(program)
    for number in range(2):
        make_type(program, f"T{number}", segment=segments, segment_mode="exclusion")
    few = queries()
    for number in range(2, 20):
        make_type(program, f"T{number}", segment=segments, segment_mode="exclusion")

    assert queries() == few
    assert ActivityType.objects.count() == 20
