"""The program's vocabulary over the API: read, written, revised."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    ConfigurationRevision,
    FrequencyPeriod,
    Partner,
    Segment,
    Tag,
    Tier,
    Wallet,
)
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in

# Path, what a new row needs, another value for one member, the model.
RESOURCES = [
    (
        "business-units",
        {"code": "fuel", "name": "Fuel"},
        {"is_enabled": False},
        BusinessUnit,
    ),
    ("partners", {"name": "Bakery"}, {"name": "Baker"}, Partner),
    ("tags", {"name": "spring"}, {"name": "summer"}, Tag),
    ("channels", {"code": "APP", "name": "App"}, {"name": "The app"}, Channel),
    ("tiers", {"name": "Gold", "threshold": 1_000}, {"threshold": 900}, Tier),
    (
        "segments",
        {"code": "staff", "name": "Staff"},
        {"description": "Who works here"},
        Segment,
    ),
    ("wallets", {"code": "cash", "name": "Cash"}, {"rounding": "half_up"}, Wallet),
]
SHIPPED = {
    "reporting-channels": 26,
    "categories": 4,
    "kinds": 8,
    "frequency-periods": 11,
}
each_resource = pytest.mark.parametrize(
    ("path", "new", "change", "model"), RESOURCES, ids=[one[0] for one in RESOURCES]
)


def revision_of(program):
    program.refresh_from_db()
    return program.configuration_revision


@each_resource
def test_a_row_is_created_read_changed_and_deleted(client, path, new, change, model):
    created = client.post(path, new)
    assert created.status_code == 201, created.content
    number = created.json()["id"]
    assert {name: created.json()[name] for name in new} == new
    assert client.get(f"{path}/{number}").json() == created.json()

    changed = client.patch(f"{path}/{number}", change)
    assert changed.status_code == 200, changed.content
    assert changed.json() == {**created.json(), **change}
    assert client.get(path).json() == {"results": [changed.json()], "next": None}

    deleted = client.delete(f"{path}/{number}")
    if model is Wallet:
        problem_in(deleted, 405, "method_not_allowed")
        return
    assert deleted.status_code == 204, deleted.content
    assert deleted.content == b""
    assert model.objects.count() == 0


@each_resource
def test_every_change_is_a_revision(program, client, path, new, change, model):
    before = revision_of(program)

    number = client.post(path, new).json()["id"]
    created = revision_of(program)
    client.patch(f"{path}/{number}", change)
    changed = revision_of(program)
    is_deleted = client.delete(f"{path}/{number}").status_code == 204

    assert before < created < changed
    assert (revision_of(program) > changed) == is_deleted


@pytest.mark.django_db(transaction=True)
def test_a_revision_names_the_key_that_changed_the_configuration(program, client):
    number = client.post("tags", {"name": "spring"}).json()["id"]
    client.patch(f"tags/{number}", {"name": "summer"})
    client.delete(f"tags/{number}")

    revisions = ConfigurationRevision.objects.filter(program=program).order_by("number")
    assert list(revisions.values_list("changed", "actor")) == [
        (["program"], ""),
        *[(["tag"], "API key till")] * 3,
    ]


@each_resource
def test_a_refused_change_makes_no_revision(program, client, path, new, change, model):
    before = revision_of(program)

    response = client.post(path, {**new, "colour": "red"})

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [("/colour", "unknown_member")]
    assert revision_of(program) == before
    assert model.objects.count() == 0


@each_resource
def test_rows_of_another_program_are_not_there(client, path, new, change, model):
    row = model.objects.create(program=builders.make_program(), **new)

    assert client.get(path).json()["results"] == []
    for response in (
        client.get(f"{path}/{row.pk}"),
        client.patch(f"{path}/{row.pk}", change),
    ):
        problem_in(response, 404, "not_found")
    assert client.delete(f"{path}/{row.pk}").status_code in {404, 405}
    assert model.objects.filter(pk=row.pk).exists()


@each_resource
def test_the_program_of_a_row_cannot_be_chosen(client, path, new, change, model):
    other = builders.make_program()

    response = client.post(path, {**new, "program": other.pk})

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [("/program", "unknown_member")]
    assert model.objects.count() == 0


@each_resource
def test_a_list_of_20_asks_as_often_as_a_list_of_2(
    program, client, path, new, change, model
):
    for n in range(20):
        unique = {
            name: f"{value}-{n}" if isinstance(value, str) else value + n
            for name, value in new.items()
        }
        model.objects.create(program=program, **unique)

    counts = []
    for size in (2, 20):
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(f"{path}?page_size={size}").json()["results"]) == size
        counts.append(len(captured))

    assert counts[0] == counts[1]


@each_resource
def test_a_repeated_creation_with_a_key_creates_once(client, path, new, change, model):
    first = client.post(path, new, Idempotency_Key="k-1")

    second = client.post(path, new, Idempotency_Key="k-1")

    assert second.status_code == 201
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert model.objects.count() == 1


@pytest.mark.parametrize(("path", "count"), SHIPPED.items())
def test_shipped_vocabularies_are_read_and_not_written(client, path, count):
    rows = client.get(path).json()["results"]

    assert len(rows) == count
    assert client.get(f"{path}/{rows[0]['id']}").json() == rows[0]
    problem_in(client.post(path, {"name": "Mine"}), 405, "method_not_allowed")
    problem_in(
        client.patch(f"{path}/{rows[0]['id']}", {"name": "Mine"}),
        405,
        "method_not_allowed",
    )


def test_the_program_shows_its_revision(program, client):
    client.post("tags", {"name": "spring"})

    (row,) = client.get("programs").json()["results"]

    assert row["code"] == program.code
    assert row["configuration_revision"] == revision_of(program)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("channels", {"name": "App"}, "/code", "required"),
        ("channels", {"code": "", "name": "App"}, "/code", "blank"),
        ("channels", {"code": 7, "name": "App"}, "/code", "not_text"),
        ("channels", {"code": "x" * 51, "name": "App"}, "/code", "max_length"),
        ("channels", {"code": None, "name": "App"}, "/code", "null"),
        (
            "channels",
            {"code": "A", "name": "A", "is_enabled": 1},
            "/is_enabled",
            "not_truth",
        ),
        ("tiers", {"name": "A", "threshold": "1"}, "/threshold", "not_a_whole_number"),
        ("tiers", {"name": "A", "threshold": 1.5}, "/threshold", "not_a_whole_number"),
        ("tiers", {"name": "A", "threshold": True}, "/threshold", "not_a_whole_number"),
        ("tiers", {"name": "A", "threshold": -1}, "/threshold", "min_value"),
        ("tiers", {"name": "A", "threshold": 10**19}, "/threshold", "number_too_large"),
        (
            "wallets",
            {"code": "c", "name": "C", "rounding": "x"},
            "/rounding",
            "invalid_choice",
        ),
        (
            "wallets",
            {"code": "c", "name": "C", "decimals": 5},
            "/decimals",
            "wallet_has_at_most_four_decimals",
        ),
    ],
)
def test_a_wrong_member_is_pointed_at(client, path, body, pointer, code):
    problem = problem_in(client.post(path, body), 400, "invalid")

    assert (pointer, code) in pointers_in(problem)
    assert client.get(path).json()["results"] == []


@pytest.mark.parametrize("body", [b"[]", b"7", b'"x"', b"null"])
def test_what_is_no_object_is_refused(client, body):
    problem_in(client.post("channels", body), 400, "invalid")


def test_a_code_can_be_used_once(program, client):
    client.post("channels", {"code": "APP", "name": "App"})

    response = client.post("channels", {"code": "APP", "name": "Another"})

    problem = problem_in(response, 400, "invalid")
    assert [pointer for pointer, _ in pointers_in(problem)] == ["/code"]
    assert Channel.objects.count() == 1


def test_another_program_may_use_the_same_code(client):
    client.post("channels", {"code": "APP", "name": "App"})
    other = caller_for(builders.make_program())

    assert other.post("channels", {"code": "APP", "name": "App"}).status_code == 201


def test_what_is_in_use_cannot_be_deleted(program, client):
    activity_type = builders.make_type(program)

    unit = builders.make_unit(program)
    activity_type.business_unit = unit
    activity_type.save()

    response = client.delete(f"business-units/{unit.pk}")

    problem_in(response, 409, "in_use")
    assert BusinessUnit.objects.count() == 1


def test_what_an_offer_is_restricted_to_cannot_be_deleted(program, client):
    segment = builders.make_segment(program)
    builders.make_campaign(program, included_segments=[segment])

    response = client.delete(f"segments/{segment.pk}")

    problem_in(response, 409, "in_use")
    assert type(segment).objects.count() == 1


TYPE = {
    "code": "SURVEY",
    "name": "Survey",
    "title": "Tell us",
    "reward_method": "fixed",
    "points": 50,
}


@pytest.fixture
def survey(program):
    return {**TYPE, "wallet": builders.wallet_of(program).pk}


def test_an_activity_type_is_written_in_full_and_pays(program, client, survey):
    tags = [client.post("tags", {"name": name}).json()["id"] for name in "ab"]
    partner = client.post("partners", {"name": "Bakery"}).json()["id"]
    body = {
        **survey,
        "points": "12.0",
        "tags": tags,
        "partner": partner,
        "category": client.get("categories").json()["results"][0]["id"],
        "type_kind": client.get("kinds").json()["results"][0]["id"],
        "reporting_channel": client.get("reporting-channels").json()["results"][0][
            "id"
        ],
        "cap_count": 1,
        "frequency_period": 2,
        "starts_at": "2026-01-01T00:00:00+01:00",
        "ends_at": "2999-01-01T00:00:00Z",
        "extra_data": {"colour": "red"},
    }

    created = client.post("activity-types", body)

    assert created.status_code == 201, created.content
    row = created.json()
    assert row["tags"] == sorted(tags)
    assert row["points"] == "12"
    assert row["starts_at"] == "2025-12-31T23:00:00Z"
    assert row["extra_data"] == {"colour": "red"}
    member = builders.make_member(program)
    activity = {
        "member": {"id": member.pk},
        "type": "SURVEY",
        "occurred_at": "2026-03-04T12:00:00Z",
    }
    earned = client.post("activities/simulate", activity).json()
    assert earned["totals"]["loyalty"]["base"] == 12


@pytest.mark.parametrize("scheme", ["javascript", " DATA", "vbscript"])
def test_a_redirect_address_is_no_script(client, survey, scheme):
    answer = client.post("activity-types", {**survey, "redirect_url": f"{scheme}:x"})

    assert "may not be a script" in problem_in(answer, 400, "invalid")["detail"]


def test_an_activity_type_is_changed_member_by_member(client, survey):
    tag = client.post("tags", {"name": "a"}).json()["id"]
    row = client.post("activity-types", {**survey, "tags": [tag]}).json()

    changed = client.patch(f"activity-types/{row['id']}", {"points": "2.5e0"})
    problem = problem_in(changed, 400, "invalid")
    assert pointers_in(problem) == [("/points", "invalid_number")]

    changed = client.patch(f"activity-types/{row['id']}", {"points": 7})
    assert changed.json() == {**row, "points": "7"}

    changed = client.patch(f"activity-types/{row['id']}", {"tags": []})
    assert changed.json() == {**row, "points": "7", "tags": []}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"points": "0.5"}, "/points"),
        ({"points": -1}, "/points"),
        ({"points": "NaN"}, "/points"),
        ({"reward_method": "multiplier"}, None),
        ({"ends_at": "2026-02-30T00:00:00Z"}, "/ends_at"),
        (
            {"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"},
            None,
        ),
        ({"cap_count": 1}, None),
        ({"cap_count": 0, "frequency_period": 2}, None),
        ({"frequency_period": 99}, "/frequency_period"),
        ({"tags": [99]}, "/tags"),
        ({"tags": ["1"]}, "/tags"),
        ({"tags": 1}, "/tags"),
        ({"tags": [10**18]}, "/tags"),
        ({"extra_data": []}, "/extra_data"),
        ({"wallet": "1"}, "/wallet"),
        ({"wallet": True}, "/wallet"),
        ({"name": "a\u0000b"}, "/name"),
    ],
)
def test_an_activity_type_that_cannot_be_is_refused(client, survey, change, pointer):
    problem = problem_in(
        client.post("activity-types", {**survey, **change}), 400, "invalid"
    )

    if pointer is not None:
        assert pointer in {where for where, _ in pointers_in(problem)}
    assert ActivityType.objects.count() == 0


def test_an_inactive_frequency_period_cannot_be_chosen_anew(client, survey):
    inactive = FrequencyPeriod.objects.filter(is_active=False).first()

    body = {**survey, "cap_count": 1, "frequency_period": inactive.pk}

    problem = problem_in(client.post("activity-types", body), 400, "invalid")
    assert [pointer for pointer, _ in pointers_in(problem)] == ["/frequency_period"]


@pytest.mark.parametrize(
    "name", ["wallet", "business_unit", "segment", "partner", "minimum_tier"]
)
def test_rows_of_another_program_cannot_be_named(client, survey, name):
    other = builders.make_program()
    theirs = {
        "wallet": lambda: builders.make_wallet(other),
        "business_unit": lambda: builders.make_unit(other),
        "segment": lambda: builders.make_segment(other),
        "partner": lambda: Partner.objects.create(program=other, name="x"),
        "minimum_tier": lambda: builders.make_tier(other, "Gold", 1),
    }[name]()

    response = client.post("activity-types", {**survey, name: theirs.pk})

    problem = problem_in(response, 400, "invalid")
    assert pointers_in(problem) == [(f"/{name}", "does_not_exist")]


def test_activity_types_are_found_by_code(program, client):
    builders.make_type(program, "A")
    builders.make_type(program, "B")

    rows = client.get("activity-types?code=B").json()["results"]

    assert [row["code"] for row in rows] == ["B"]
