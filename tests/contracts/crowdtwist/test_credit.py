"""``POST /v2/users/{user_id}/activities``: accepted is not yet paid."""

from datetime import timedelta

import pytest

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account, Entry
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_unit,
    make_wallet,
)
from tests.contracts.crowdtwist.client import CrowdTwist, error_in, fixed, payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(program):
    """A type that pays 100 points."""
    return fixed(program, "survey")


@pytest.fixture
def dated(program):
    """Let credits of the program be dated."""
    program.allows_backdating = True
    program.save()


def credit(crowdtwist, member, row, **body):
    return crowdtwist.post(
        f"/v2/users/{member.pk}/activities", {"activity_id": str(row.pk), **body}
    )


def accepted(response):
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    return response.content == b'{"awarded":true}'


def balance(member):
    account = Account.objects.filter(member=member).first()
    return account.balance if account else 0


def test_the_recorded_call_is_accepted_and_pays_the_given_points(
    crowdtwist, alice, survey
):
    body = {**payload("credit"), "activity_id": str(survey.pk)}

    response = crowdtwist.post(
        "/v2/users/alice@example.com/activities?id_type=email", body
    )

    assert accepted(response)
    assert balance(alice) == 150
    activity = Activity.objects.get()
    assert (activity.source, activity.data) == ("crowdtwist", body["extra_data"])
    assert activity.decision["given"] == 150
    assert activity.decision["awards"][0]["by_rule"] == 100
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize(
    ("body", "points"),
    [
        pytest.param({}, 100, id="left out: as configured"),
        pytest.param({"num_points": None}, 100, id="null: as configured"),
        pytest.param({"num_points": 150}, 150, id="more"),
        pytest.param({"num_points": 1}, 1, id="less"),
        pytest.param({"num_points": "150"}, 150, id="digits"),
        pytest.param({"num_points": 0}, 0, id="none"),
        pytest.param({"num_points": 2**31 - 1}, 2**31 - 1, id="the most"),
    ],
)
def test_num_points_override_the_configured_points(
    crowdtwist, alice, survey, body, points
):
    assert accepted(credit(crowdtwist, alice, survey, **body))

    assert balance(alice) == points


def test_num_points_are_whole_points_of_a_wallet_with_decimals(
    program, crowdtwist, alice
):
    fine = fixed(program, "fine", wallet=make_wallet(program, code="f", decimals=2))

    assert accepted(credit(crowdtwist, alice, fine, num_points=150))

    assert balance(alice) == 15_000


def test_campaigns_pay_on_top_of_the_given_points(program, crowdtwist, alice, survey):
    make_campaign(program, points=7)

    assert accepted(credit(crowdtwist, alice, survey, num_points=150))

    assert balance(alice) == 157


@pytest.mark.parametrize("activity_id", [str, int])
def test_the_id_of_the_activity_may_be_a_number(crowdtwist, alice, survey, activity_id):
    body = {"activity_id": activity_id(survey.pk)}

    assert accepted(crowdtwist.post(f"/v2/users/{alice.pk}/activities", body))

    assert balance(alice) == 100


def test_members_of_the_body_that_nobody_knows_are_ignored(crowdtwist, alice, survey):
    assert accepted(credit(crowdtwist, alice, survey, notes="hello", nested={"a": []}))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({}, "missing_data", id="no activity"),
        pytest.param({"activity_id": None}, "missing_data", id="null"),
        pytest.param({"activity_id": ""}, "missing_data", id="empty"),
        pytest.param({"activity_id": "abc"}, "invalid", id="a word"),
        pytest.param({"activity_id": 1.5}, "invalid", id="a fraction"),
        pytest.param({"activity_id": True}, "invalid", id="a truth value"),
        pytest.param({"activity_id": ["1"]}, "invalid", id="a list"),
        pytest.param({"activity_id": "9" * 40}, "invalid", id="far too long"),
        pytest.param({"activity_id": "0"}, "invalid", id="unknown"),
        pytest.param({"activity_id": "9" * 18}, "invalid", id="unknown, long"),
        pytest.param({"num_points": -1}, "invalid_amount", id="below zero"),
        pytest.param({"num_points": 1.5}, "invalid_amount", id="half a point"),
        pytest.param({"num_points": "many"}, "invalid_amount", id="a word"),
        pytest.param({"num_points": True}, "invalid_amount", id="true"),
        pytest.param({"num_points": 2**31}, "invalid_amount", id="too many"),
        pytest.param({"num_points": 10**30}, "invalid_amount", id="far too many"),
        pytest.param({"num_points": {}}, "invalid_amount", id="an object"),
        pytest.param({"activity_date": "soon"}, "invalid_date", id="a word"),
        pytest.param({"activity_date": 0}, "invalid_date", id="zero"),
        pytest.param({"activity_date": -5}, "invalid_date", id="before 1970"),
        pytest.param({"activity_date": [5]}, "invalid_date", id="a list of one"),
        pytest.param(
            {"activity_date": 1772625600000}, "invalid_date", id="milliseconds"
        ),
        pytest.param({"activity_date": 10**30}, "invalid_date", id="no calendar"),
        pytest.param({"extra_data": "text"}, "invalid", id="text as extra data"),
        pytest.param({"extra_data": [1]}, "invalid", id="a list as extra data"),
        pytest.param({"extra_data": {"a": 10**30}}, "invalid", id="huge number"),
        pytest.param({"extra_data": {"a": "x" * 70_000}}, "invalid", id="long"),
    ],
)
def test_a_body_that_cannot_be_understood_is_refused_and_stores_nothing(
    dated, crowdtwist, alice, survey, body, code
):
    whole = {"activity_id": str(survey.pk), **body}
    if not body:
        whole = {}

    response = crowdtwist.post(f"/v2/users/{alice.pk}/activities", whole)

    error_in(response, 400, code)
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'{"activity_id": NaN}', id="NaN"),
        pytest.param(b'{"activity_id": "1", "activity_id": "2"}', id="doubled"),
        pytest.param(b'{"activity_id": "1\\u0000"}', id="NUL"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_body_that_is_no_object_is_invalid(crowdtwist, alice, body):
    response = crowdtwist.call("post", f"/v2/users/{alice.pk}/activities", body)

    error_in(response, 400, "invalid")


def test_no_body_at_all_misses_the_activity(crowdtwist, alice):
    response = crowdtwist.call("post", f"/v2/users/{alice.pk}/activities", b"")

    error_in(response, 400, "missing_data")


def test_a_missing_activity_is_named(crowdtwist, alice):
    response = crowdtwist.post(f"/v2/users/{alice.pk}/activities", {})

    message = error_in(response, 400, "missing_data")
    assert message == 'Required field ["activity_id"] is missing.'


def test_t36_an_empty_field_is_told_in_the_message_not_in_the_code(crowdtwist, alice):
    response = crowdtwist.post(f"/v2/users/{alice.pk}/activities", {"activity_id": ""})

    message = error_in(response, 400, "missing_data")
    assert message == "Value of field [activity_id] must not be empty."


def test_an_activity_of_another_program_does_not_exist(crowdtwist, alice):
    foreign = fixed(make_program(), "foreign")

    response = credit(crowdtwist, alice, foreign)

    assert error_in(response, 400, "invalid") == "Activity does not exist."


@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        pytest.param("999999999999999999", "", 404, "page_not_found", id="number"),
        pytest.param("bob@x.y", "?id_type=email", 404, "page_not_found", id="address"),
        pytest.param("bob@x.y", "", 404, "page_not_found", id="no type of id"),
        pytest.param("1", "?id_type=shoe_size", 400, "invalid", id="type of id"),
    ],
)
def test_a_credit_to_nobody_is_refused(crowdtwist, survey, who, query, status, code):
    response = crowdtwist.post(
        f"/v2/users/{who}/activities{query}", {"activity_id": str(survey.pk)}
    )

    error_in(response, status, code)
    assert not Activity.objects.exists()


def test_a_credit_to_a_member_of_another_program_is_refused(crowdtwist, survey):
    foreign = make_member(make_program())

    error_in(credit(crowdtwist, foreign, survey), 404, "page_not_found")


def test_a_credit_to_a_blocked_member_is_refused(program, crowdtwist, survey):
    blocked = make_member(program, is_blocked=True)

    response = credit(crowdtwist, blocked, survey)

    assert error_in(response, 400, "invalid") == "User is not active."


def seconds(moment):
    return int(moment.timestamp())


def test_a_date_is_refused_until_it_is_enabled_for_the_program(
    crowdtwist, alice, survey
):
    yesterday = seconds(NOON - timedelta(days=1))

    response = credit(crowdtwist, alice, survey, activity_date=yesterday)

    message = error_in(response, 400, "invalid_date")
    assert message == "Field [activity_date] is not enabled."
    assert not Activity.objects.exists()


@pytest.mark.parametrize("spelled", [int, str])
def test_a_dated_credit_happened_then(dated, crowdtwist, alice, survey, spelled):
    yesterday = NOON - timedelta(days=1)

    assert accepted(
        credit(crowdtwist, alice, survey, activity_date=spelled(seconds(yesterday)))
    )

    activity = Activity.objects.get()
    assert (activity.occurred_at, activity.received_at) == (yesterday, NOON)


def test_a_dated_credit_is_decided_as_of_its_date(dated, program, crowdtwist, alice):
    over = fixed(program, "over", ends_at=NOON - timedelta(hours=1))

    assert accepted(credit(crowdtwist, alice, over))
    assert balance(alice) == 0
    assert accepted(
        credit(
            crowdtwist, alice, over, activity_date=seconds(NOON - timedelta(hours=2))
        )
    )
    assert balance(alice) == 100


def test_a_dated_credit_uses_up_the_cap_of_its_own_day(
    dated, program, crowdtwist, alice
):
    daily = fixed(program, "daily", cap_count=1, frequency_period_id=2)
    yesterday = seconds(NOON - timedelta(days=1))

    for date in ({}, {"activity_date": yesterday}, {"activity_date": yesterday}, {}):
        assert accepted(credit(crowdtwist, alice, daily, **date))

    assert balance(alice) == 200
    assert Activity.objects.count() == 4


@pytest.mark.parametrize(
    ("ahead", "is_accepted"),
    [(timedelta(hours=1), True), (timedelta(hours=1, seconds=1), False)],
)
def test_a_date_more_than_an_hour_ahead_is_refused(
    dated, crowdtwist, alice, survey, ahead, is_accepted
):
    response = credit(crowdtwist, alice, survey, activity_date=seconds(NOON + ahead))

    if is_accepted:
        assert accepted(response)
    else:
        error_in(response, 400, "invalid_date")


def test_a_date_older_than_the_program_accepts_is_refused(
    dated, program, crowdtwist, alice, survey
):
    program.acceptance_days = 7
    program.save()

    response = credit(
        crowdtwist, alice, survey, activity_date=seconds(NOON - timedelta(days=8))
    )

    error_in(response, 400, "invalid_date")


def not_awarded(crowdtwist, member, row):
    """Credit; return the reason why the accepted credit paid nothing."""
    assert accepted(credit(crowdtwist, member, row))
    assert balance(member) == 0
    activity = Activity.objects.latest("pk")
    return [one["reason"] for one in activity.decision["rejections"]]


def test_below_the_tier_nothing_is_awarded_locked_or_hidden(program, crowdtwist, alice):
    gold = make_tier(program, "Gold", 1_000)
    for locks in (True, False):
        row = fixed(
            program,
            f"gold {locks}",
            minimum_tier=gold,
            show_as_locked_by_tier=locks,
        )

        assert not_awarded(crowdtwist, alice, row) == ["tier_too_low"]


@pytest.mark.parametrize(
    ("mode", "is_in", "reasons"),
    [
        pytest.param("inclusion", True, None, id="let in"),
        pytest.param("inclusion", False, ["not_in_segment"], id="not let in"),
        pytest.param("exclusion", True, ["in_excluded_segment"], id="kept out"),
        pytest.param("exclusion", False, None, id="not kept out"),
    ],
)
def test_a_segment_decides_whether_points_are_awarded(
    crowdtwist, alice, mode, is_in, reasons
):
    program = crowdtwist.program
    segment = make_segment(program, [alice] if is_in else [])
    row = fixed(program, "it", segment=segment, segment_mode=mode)

    if reasons:
        assert not_awarded(crowdtwist, alice, row) == reasons
    else:
        assert accepted(credit(crowdtwist, alice, row))
        assert balance(alice) == 100


def test_over_the_cap_the_credit_is_accepted_and_pays_nothing(
    program, crowdtwist, alice
):
    once = fixed(program, "once", cap_count=1, frequency_period_id=5)

    for _ in range(3):
        assert accepted(credit(crowdtwist, alice, once, num_points=150))

    assert balance(alice) == 150
    assert Activity.objects.count() == 3


def test_an_inactive_period_still_caps_where_it_is_used(program, crowdtwist, alice):
    rolling = fixed(program, "rolling", cap_count=1, frequency_period_id=1)

    for _ in range(2):
        assert accepted(credit(crowdtwist, alice, rolling))

    assert balance(alice) == 100


def test_every_third_completion_pays_where_three_are_required(
    program, crowdtwist, alice
):
    thrice = fixed(program, "thrice", required_attempts=3)

    balances = []
    for _ in range(6):
        assert accepted(credit(crowdtwist, alice, thrice))
        balances.append(balance(alice))

    assert balances == [0, 0, 100, 100, 100, 200]


def test_the_same_credit_twice_counts_twice_for_the_vendor_has_no_key(
    crowdtwist, alice, survey
):
    for _ in range(2):
        assert accepted(credit(crowdtwist, alice, survey))

    assert balance(alice) == 200


def test_a_key_bound_to_a_unit_credits_for_it(program, alice, survey):
    grocery = make_unit(program)
    make_unit(program, "fashion")
    bound = CrowdTwist(program, units=[grocery])

    assert accepted(credit(bound, alice, survey))

    assert Entry.objects.get().business_unit == grocery


def test_a_key_bound_to_other_units_cannot_credit(program, alice):
    row = fixed(program, "ours", business_unit=make_unit(program))
    bound = CrowdTwist(program, units=[make_unit(program, "fashion")])

    error_in(credit(bound, alice, row), 403, "invalid_auth")
    assert not Activity.objects.exists()


def test_a_credit_for_a_unit_that_is_switched_off_is_refused(program, alice, survey):
    bound = CrowdTwist(program, units=[make_unit(program, is_enabled=False)])

    error_in(credit(bound, alice, survey), 400, "invalid")
