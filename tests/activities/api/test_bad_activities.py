"""Bad input: a clear refusal that names what and where; nothing stored, key free."""

import orjson
import pytest

from activities.models import Activity
from loyalty.models import Entry
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body


def with_text(member, name, literal):
    """Return the JSON of a purchase in which ``name`` is written as ``literal``."""
    body = orjson.dumps(purchase_body(member, **{name: "@"}))
    return body.replace(
        b'"@"', literal if isinstance(literal, bytes) else literal.encode()
    )


def assert_nothing_happened(client, member):
    assert Activity.objects.count() == 0
    assert Entry.objects.count() == 0
    recorded = client.post("activities", purchase_body(member))
    assert recorded.status_code == 201, recorded.content
    assert "Idempotency-Replayed" not in recorded


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", "malformed_json", id="broken off"),
        pytest.param(b'{"key": "till-1",}', "malformed_json", id="comma too many"),
        pytest.param(b"{'key': 1}", "malformed_json", id="single quotes"),
        pytest.param(b'{"a": 1} {"b": 2}', "malformed_json", id="two values"),
        pytest.param(b'{"value": NaN}', "malformed_json", id="NaN"),
        pytest.param(b'{"value": Infinity}', "malformed_json", id="Infinity"),
        pytest.param(b'{"value": -Infinity}', "malformed_json", id="-Infinity"),
        pytest.param(b'{"value": 01}', "malformed_json", id="leading zero"),
        pytest.param(b'{"value": +1}', "malformed_json", id="plus sign"),
        pytest.param(b'{"key": "\xff"}', "malformed_json", id="invalid UTF-8"),
        pytest.param('{"key": "1"}'.encode("utf-16"), "malformed_json", id="UTF-16"),
        pytest.param(b'{"key": "\x00"}', "malformed_json", id="raw control character"),
        pytest.param(
            b'{"type": "A", "type": "B"}', "duplicate_member", id="a name twice"
        ),
        pytest.param(
            b'{"data": {"a": {"b": 1, "b": 1}}}',
            "duplicate_member",
            id="a name twice, deep",
        ),
        pytest.param(
            b'{"data": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
            "too_deep",
            id="40 levels",
        ),
        pytest.param(b"[" * 100_000, "too_deep", id="100,000 levels"),
        pytest.param(
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "too_deep", id="50,000 objects"
        ),
    ],
)
def test_what_is_no_json_is_refused_by_place(client, member, body, code):
    response = client.post("activities", body)

    problem = problem_in(response, 400, code)
    assert problem["detail"]
    assert_nothing_happened(client, member)


def test_broken_json_names_line_and_column(client):
    response = client.post("activities", b'{"key": "till-1",\n "value": nope}')

    problem = problem_in(response, 400, "malformed_json")
    assert (problem["line"], problem["column"]) == (2, 11)


def test_a_byte_order_mark_is_fine(client, member):
    body = b"\xef\xbb\xbf" + orjson.dumps(purchase_body(member))

    assert client.post("activities", body).status_code == 201


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"null", b"true"])
def test_what_is_no_object_is_refused(client, member, body):
    problem = problem_in(client.post("activities", body), 400, "invalid")

    assert pointers_in(problem) == [("", "not_an_object")]
    assert_nothing_happened(client, member)


@pytest.mark.parametrize(
    ("name", "literal", "pointer", "code"),
    [
        # Numbers.
        ("value", '"1e3"', "/value", "invalid_number"),
        ("value", "1e14", "/value", "invalid_number"),
        ("value", "12.3456789", "/value", "invalid_number"),
        ("value", "1E400", "/value", "invalid_number"),
        ("value", '"NaN"', "/value", "invalid_number"),
        ("value", '"Infinity"', "/value", "invalid_number"),
        ("value", '"12,50"', "/value", "invalid_number"),
        ("value", '"1 2"', "/value", "invalid_number"),
        ("value", '"+-12"', "/value", "invalid_number"),
        ("value", '"٣"', "/value", "invalid_number"),
        ("value", '""', "/value", "invalid_number"),
        ("value", '"0.00001"', "/value", "invalid_number"),
        ("value", "0.00001", "/value", "invalid_number"),
        ("value", "9" * 15, "/value", "invalid_number"),
        ("value", "9" * 5_000, "/value", "invalid_number"),
        ("value", "true", "/value", "invalid_number"),
        ("value", "[1]", "/value", "invalid_number"),
        # Moments.
        ("occurred_at", '"2026-03-04T24:00:00Z"', "/occurred_at", "invalid_moment"),
        ("occurred_at", '"2026-02-30T10:00:00Z"', "/occurred_at", "invalid_moment"),
        ("occurred_at", '"2026-03-04"', "/occurred_at", "invalid_moment"),
        ("occurred_at", '"2026-W10-3"', "/occurred_at", "invalid_moment"),
        (
            "occurred_at",
            '"0001-01-01T00:00:00+14:00"',
            "/occurred_at",
            "invalid_moment",
        ),
        (
            "occurred_at",
            '"9999-12-31T23:59:59-14:00"',
            "/occurred_at",
            "invalid_moment",
        ),
        (
            "occurred_at",
            '"2026-03-04T12:00:00+99:00"',
            "/occurred_at",
            "invalid_moment",
        ),
        ("occurred_at", "1772625600", "/occurred_at", "invalid_moment"),
        ("occurred_at", "1.5", "/occurred_at", "invalid_moment"),
        ("occurred_at", "null", "/occurred_at", "required"),
        # Text.
        ("type", "null", "/type", "required"),
        ("type", "7", "/type", "not_text"),
        ("type", "1.5", "/type", "not_text"),
        ("type", '""', "/type", "blank"),
        ("type", '"' + "x" * 101 + '"', "/type", "too_long"),
        ("type", r'"\u0000"', "/type", "unstorable_text"),
        ("key", r'"\ud800"', "/key", "unstorable_text"),
        ("key", '""', "/key", "blank"),
        ("key", "7", "/key", "not_text"),
        ("key", '"' + "k" * 256 + '"', "/key", "too_long"),
        ("channel", "{}", "/channel", "not_text"),
        ("business_unit", "false", "/business_unit", "not_text"),
        # Who.
        ("member", "null", "/member", "required"),
        ("member", '"C-1"', "/member", "invalid_member"),
        ("member", "{}", "/member", "invalid_member"),
        ("member", '{"id": 1, "kind": "a", "value": "b"}', "/member", "invalid_member"),
        ("member", '{"id": 0}', "/member/id", "invalid_number"),
        ("member", '{"id": true}', "/member/id", "invalid_number"),
        ("member", '{"id": 1.5}', "/member/id", "invalid_number"),
        ("member", '{"id": ' + "9" * 40 + "}", "/member/id", "invalid_number"),
        ("member", '{"kind": "a"}', "/member", "invalid_member"),
        ("member", '{"kind": "a", "value": 7}', "/member/value", "not_text"),
        ("anonymous_id", '"c"', "/anonymous_id", "ambiguous"),
        # Line items.
        ("items", "[]", "/items", "empty"),
        ("items", "{}", "/items", "not_a_list"),
        ("items", "[7]", "/items/0", "not_an_object"),
        ("items", "[{}]", "/items/0/item_id", "required"),
        ("items", '[{"item_id": "1", "price": 2}]', "/items/0", "unknown_member"),
        ("items", '[{"item_id": "1"}, {"item_id": 2}]', "/items/1/item_id", "not_text"),
        (
            "items",
            '[{"item_id": "1", "value": "x"}]',
            "/items/0/value",
            "invalid_number",
        ),
        (
            "items",
            '[{"item_id": "1", "quantity": 1e-5}]',
            "/items/0/quantity",
            "invalid_number",
        ),
        ("items", "[" + ",".join(["{}"] * 1_001) + "]", "/items", "too_many"),
        # Free data.
        ("data", "[]", "/data", "not_an_object"),
        ("data", '{"a/b": {"c": 1e999}}', "/data/a~1b/c", "number_too_large"),
        ("data", '{"a": ' + "9" * 40 + "}", "/data/a", "number_too_large"),
        ("data", r'{"a": "\u0000"}', "/data/a", "unstorable_text"),
        ("data", r'{"\ud83d": 1}', "/data", "unstorable_text"),
        ("data", '{"a": "' + "x" * 70_000 + '"}', "/data", "too_long"),
        # What nobody reads.
        ("colour", '"red"', "", "unknown_member"),
    ],
)
def test_a_wrong_member_is_pointed_at(client, member, name, literal, pointer, code):
    response = client.post("activities", with_text(member, name, literal))

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [(pointer, code)]
    assert_nothing_happened(client, member)


def test_no_body_lacks_all_that_is_required(client, member):
    problem = problem_in(client.post("activities", b""), 400, "invalid")

    assert set(pointers_in(problem)) == {
        ("/type", "required"),
        ("/occurred_at", "required"),
        ("/member", "required"),
    }
    assert_nothing_happened(client, member)


def test_every_wrong_member_is_told_at_once(client, member):
    body = purchase_body(member, value="x", type=7, occurred_at="soon")

    problem = problem_in(client.post("activities", body), 400, "invalid")

    assert {pointer for pointer, _ in pointers_in(problem)} == {
        "/value",
        "/type",
        "/occurred_at",
    }


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"type": "NOBODY"}, "/type", "unknown_activity_type"),
        ({"type": "purchase"}, "/type", "unknown_activity_type"),
        ({"channel": "MOON"}, "/channel", "unknown_channel"),
        ({"channel": "CLOSED"}, "/channel", "disabled_channel"),
        ({"business_unit": "moon"}, "/business_unit", "unknown_business_unit"),
        ({"business_unit": "closed"}, "/business_unit", "disabled_business_unit"),
        ({"member": {"id": 10**18 - 1}}, "/member", "unknown_member"),
        (
            {"member": {"kind": "customer_id", "value": "c-1"}},
            "/member",
            "unknown_member",
        ),
        (
            {"member": {"kind": "customer_id", "value": "B-1"}},
            "/member",
            "blocked_member",
        ),
        (
            {"occurred_at": "2999-01-01T00:00:00Z"},
            "/occurred_at",
            "occurs_in_the_future",
        ),
        ({"type": "STRICT", "value": "-0.01"}, "/value", "negative_value"),
    ],
)
def test_what_the_program_cannot_take_is_refused(
    program, client, member, members, pointer, code
):
    builders.make_channel(program, "CLOSED", is_enabled=False)
    builders.make_unit(program, "closed", is_enabled=False)
    builders.make_type(program, "STRICT", allows_negative_value=False)
    builders.make_member(program, "B-1", is_blocked=True)

    response = client.post("activities", purchase_body(member, **members))

    problem = problem_in(response, 422, code)
    assert pointers_in(problem) == [(pointer, code)]
    assert_nothing_happened(client, member)


def test_what_is_too_old_for_the_program_is_refused(program, client, member):
    program.acceptance_days = 30
    program.save()

    body = purchase_body(member, occurred_at="2020-01-01T00:00:00Z")

    problem = problem_in(client.post("activities", body), 422, "occurred_too_long_ago")
    assert pointers_in(problem) == [("/occurred_at", "occurred_too_long_ago")]


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("2026-03-29T02:30:00", "nonexistent_local_time"),
        ("2025-10-26T02:30:00", "ambiguous_local_time"),
    ],
)
def test_a_local_time_that_is_no_one_moment_is_refused(
    program, client, member, local, code
):
    program.time_zone = "Europe/Paris"
    program.save()

    response = client.post("activities", purchase_body(member, occurred_at=local))

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [("/occurred_at", code)]
    assert_nothing_happened(client, member)


def test_a_local_time_is_read_in_the_programs_zone(program, client, member):
    program.time_zone = "Europe/Paris"
    program.save()

    body = purchase_body(member, occurred_at="2026-03-04T12:00:00")
    response = client.post("activities", body)

    assert response.json()["occurred_at"] == "2026-03-04T11:00:00Z"
    assert client.get(f"activities/{response.json()['id']}").json()["zone_assumed"]


def test_a_program_may_refuse_moments_without_a_zone(program, client, member):
    program.naive_timestamp_policy = "reject"
    program.save()

    body = purchase_body(member, occurred_at="2026-03-04T12:00:00")

    problem = problem_in(client.post("activities", body), 400, "invalid")
    assert pointers_in(problem) == [("/occurred_at", "missing_zone")]


def test_nothing_of_another_program_can_be_named(program, client, member):
    other = builders.make_program()
    stranger = builders.make_member(other, "X-1")
    builders.make_type(other, "THEIRS")
    builders.make_channel(other, "THEIRS")
    builders.make_unit(other, "theirs")

    refusals = [
        client.post("activities", purchase_body(member, **members)).json()["code"]
        for members in (
            {"member": {"id": stranger.pk}},
            {"member": {"kind": "customer_id", "value": "X-1"}},
            {"type": "THEIRS"},
            {"channel": "THEIRS"},
            {"business_unit": "theirs"},
        )
    ]

    assert refusals == [
        "unknown_member",
        "unknown_member",
        "unknown_activity_type",
        "unknown_channel",
        "unknown_business_unit",
    ]
    assert_nothing_happened(client, member)


def test_a_disabled_program_takes_no_calls(program, member):
    client = caller_for(program)
    program.is_enabled = False
    program.save()

    response = client.post("activities", purchase_body(member))

    problem_in(response, 401, "program_disabled")
    assert Activity.objects.count() == 0
