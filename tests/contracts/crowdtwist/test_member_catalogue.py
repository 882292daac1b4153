"""``GET /v2.1/users/{user_id}/activities/extended``: what one member is shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    Identity,
    MemberTier,
    SegmentMembership,
    TierCause,
)
from tests.builders import NOON, make_member, make_program, make_segment, make_tier
from tests.contracts.crowdtwist.client import error_in, fixed, listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def tiers(program):
    """Bronze, Silver and Gold; the lowest has the highest number."""
    made = {}
    for name, threshold in (("Gold", 5_000), ("Silver", 1_000), ("Bronze", 0)):
        made[name] = make_tier(program, name, threshold)
    return made


SILVER = {"tier": "Silver"}
LOCKED = {"tier": "Silver", "locks": True}


def hold(member, tier, since=NOON):
    MemberTier.objects.create(
        member=member, tier=tier, since=since, cause=TierCause.MANUAL, score=0
    )


def shown_to(crowdtwist, member):
    """Return what a member is shown: name and whether it is locked."""
    response = crowdtwist.get(f"/v2.1/users/{member.pk}/activities/extended")
    assert response.status_code == 200, response.content
    return {row["name"]: row["is_locked"] for row in response.json()["activities"]}


@pytest.mark.parametrize(
    ("held", "fields", "shown"),
    [
        pytest.param("Bronze", {}, {"it": False}, id="no tier needed"),
        pytest.param("Silver", SILVER, {"it": False}, id="holds it"),
        pytest.param("Gold", SILVER, {"it": False}, id="above it"),
        pytest.param("Bronze", LOCKED, {"it": True}, id="below, locked"),
        pytest.param("Bronze", SILVER, {}, id="t16: below, hidden"),
        pytest.param(None, LOCKED, {"it": True}, id="no tier, locked"),
        pytest.param(None, SILVER, {}, id="no tier, hidden"),
    ],
)
def test_below_the_tier_it_is_locked_or_left_out(
    crowdtwist, alice, tiers, held, fields, shown
):
    if held:
        hold(alice, tiers[held])
    fixed(
        crowdtwist.program,
        "it",
        minimum_tier=tiers.get(fields.get("tier")),
        show_as_locked_by_tier=fields.get("locks", False),
    )

    assert shown_to(crowdtwist, alice) == shown


@pytest.mark.parametrize(
    ("mode", "is_in", "shown"),
    [
        pytest.param("inclusion", True, {"it": False}, id="let in"),
        pytest.param("inclusion", False, {}, id="not let in"),
        pytest.param("exclusion", True, {}, id="kept out"),
        pytest.param("exclusion", False, {"it": False}, id="not kept out"),
    ],
)
def test_a_segment_shows_it_or_leaves_it_out(
    program, crowdtwist, alice, mode, is_in, shown
):
    segment = make_segment(program, [alice] if is_in else [])
    fixed(program, "it", segment=segment, segment_mode=mode)

    assert shown_to(crowdtwist, alice) == shown


def test_what_a_segment_hides_is_not_shown_locked(program, crowdtwist, alice, tiers):
    fixed(
        program,
        "it",
        minimum_tier=tiers["Gold"],
        show_as_locked_by_tier=True,
        segment=make_segment(program),
        segment_mode="inclusion",
    )

    assert shown_to(crowdtwist, alice) == {}


def test_the_tier_and_segments_of_this_moment_count(
    program, crowdtwist, alice, tiers, noon
):
    segment = make_segment(program)
    SegmentMembership.objects.create(
        segment=segment, member=alice, left_at=NOON + timedelta(hours=1)
    )
    fixed(program, "members", segment=segment, segment_mode="inclusion")
    fixed(program, "gold", minimum_tier=tiers["Gold"])
    hold(alice, tiers["Gold"], since=NOON + timedelta(hours=1))

    before = shown_to(crowdtwist, alice)
    noon.move_to(NOON + timedelta(hours=1))

    assert before == {"members": False}
    assert shown_to(crowdtwist, alice) == {"gold": False}


def test_only_active_activities_are_shown(program, crowdtwist, alice):
    fixed(program, "over", ends_at=NOON)
    fixed(program, "off", is_enabled=False)
    fixed(program, "live")

    assert shown_to(crowdtwist, alice) == {"live": False}


def test_the_list_without_pages_shows_the_same(program, crowdtwist, alice, tiers):
    fixed(program, "locked", minimum_tier=tiers["Gold"], show_as_locked_by_tier=True)
    fixed(program, "hidden", minimum_tier=tiers["Gold"])
    fixed(program, "open")

    rows = crowdtwist.get(f"/v2/users/{alice.pk}/activities/extended").json()

    assert [(row["name"], row["is_locked"]) for row in rows] == [
        ("locked", True),
        ("open", False),
    ]


def test_the_plain_list_shows_the_same_with_integers_as_ids(
    program, crowdtwist, alice, tiers
):
    locked = fixed(
        program, "locked", minimum_tier=tiers["Gold"], show_as_locked_by_tier=True
    )
    fixed(program, "hidden", minimum_tier=tiers["Gold"])

    (row,) = crowdtwist.get(f"/v2/users/{alice.pk}/activities").json()

    assert row["id"] == locked.pk
    assert row["type_id"] == "7"
    assert row["is_locked"] is True


@pytest.mark.parametrize(
    "id_type",
    [
        "email",
        "facebook_user_id",
        "twitter_user_id",
        "third_party_id",
        "username",
        "mobile_phone_number",
        "inst_username",
    ],
)
def test_a_member_is_found_by_every_type_of_id(program, crowdtwist, id_type):
    member = make_member(program)
    Identity.objects.create(
        program=program, member=member, kind=id_type, value="alice+1@x.y"
    )
    fixed(program, "it")

    response = crowdtwist.get(
        f"/v2.1/users/alice%2B1@x.y/activities/extended?id_type={id_type}"
    )

    assert listed(response) == ["it"]


@pytest.mark.parametrize(
    ("kind", "value", "id_type", "sent"),
    [
        pytest.param("customer_id", "C-1", "third_party_id", "C-1", id="customer"),
        pytest.param("phone", "2098090783", "mobile_phone_number", "2098090783"),
        pytest.param("email", "bob@x.y", "email", "Bob@X.Y", id="letter case"),
    ],
)
def test_identities_of_other_contracts_are_found(
    crowdtwist, kind, value, id_type, sent
):
    program = crowdtwist.program
    member = make_member(program, "unnamed")
    Identity.objects.create(program=program, member=member, kind=kind, value=value)
    fixed(program, "it")

    response = crowdtwist.get(
        f"/v2.1/users/{sent}/activities/extended?id_type={id_type}"
    )

    assert listed(response) == ["it"]


def test_an_own_identity_counts_before_that_of_another_contract(
    program, crowdtwist, alice
):
    other = make_member(program, "C-1")
    segment = make_segment(program, [other])
    fixed(program, "other's", segment=segment, segment_mode="inclusion")
    Identity.objects.create(
        program=program, member=alice, kind="third_party_id", value="C-1"
    )

    response = crowdtwist.get(
        "/v2.1/users/C-1/activities/extended?id_type=third_party_id"
    )

    assert listed(response) == []


@pytest.mark.parametrize("query", ["", "?id_type=id", "?id_type="])
def test_without_a_type_of_id_it_is_the_number(program, crowdtwist, alice, query):
    fixed(program, "it")

    assert listed(
        crowdtwist.get(f"/v2.1/users/{alice.pk}/activities/extended{query}")
    ) == ["it"]


MEMBER_PATHS = [
    "/v2.1/users/{}/activities/extended",
    "/v2/users/{}/activities/extended",
    "/v2/users/{}/activities",
    "/v2/users/{}/activity_history",
    "/v2.1/users/{}/activity_history",
]


@pytest.mark.parametrize("path", MEMBER_PATHS)
@pytest.mark.parametrize(
    "who",
    [
        pytest.param("999999999999999999", id="no such number"),
        pytest.param("9" * 60, id="too long a number"),
        pytest.param("alice@example.com", id="an address without its type"),
        pytest.param("a%00b", id="NUL"),
        pytest.param("%D9%A2", id="another script"),
    ],
)
def test_an_unknown_member_is_not_found(crowdtwist, alice, path, who):
    error_in(crowdtwist.get(path.format(who)), 404, "page_not_found")


@pytest.mark.parametrize("path", MEMBER_PATHS)
def test_a_member_of_another_program_is_not_found(crowdtwist, path):
    foreign = make_member(make_program())

    response = crowdtwist.get(path.format(foreign.pk))

    assert error_in(response, 404, "page_not_found") == "User does not exist."


@pytest.mark.parametrize("path", MEMBER_PATHS)
def test_an_unknown_type_of_id_is_invalid(crowdtwist, alice, path):
    response = crowdtwist.get(path.format(alice.pk) + "?id_type=shoe_size")

    assert "id_type" in error_in(response, 400, "invalid")


@pytest.mark.parametrize("path", MEMBER_PATHS)
def test_a_value_longer_than_any_identity_is_not_found(crowdtwist, alice, path):
    response = crowdtwist.get(path.format("a" * 300) + "?id_type=email")

    error_in(response, 404, "page_not_found")


@pytest.mark.parametrize("path", MEMBER_PATHS[:3])
def test_the_number_of_queries_does_not_grow_with_the_list(
    program, crowdtwist, alice, tiers, path
):
    segment = make_segment(program, [alice])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert crowdtwist.get(path.format(alice.pk)).status_code == 200
        return len(captured)

    def add(numbers):
        for number in numbers:
            fixed(
                program,
                f"it {number}",
                segment=segment,
                segment_mode="inclusion",
                minimum_tier=tiers["Gold"],
                show_as_locked_by_tier=True,
            )
        # The configuration is compiled once, by the first call that needs it.
        crowdtwist.get(path.format(alice.pk))

    add(range(2))
    few = queries()
    add(range(2, 20))

    assert queries() == few
