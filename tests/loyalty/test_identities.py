"""One person in two spellings is one member, by every way in."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection

from activities.services import record_activities
from loyalty.models import Account, Identity, IdentityRule, Member
from loyalty.services.identities import collisions_of, settle_identities
from loyalty.services.members import Enrolment, enrol_member
from loyalty.services.segment_uploads import SegmentChange, upload_members
from tests.activities.uploads.files import checked, finished
from tests.builders import NOON, make_program, make_segment, make_type, purchase
from tests.callers import caller_for, problem_in

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"
SPELLINGS = [
    "Ann@example.com",
    "ANN@EXAMPLE.COM",
    " ann@example.com ",
    "\u00a0Ann@Example.com",
]


@pytest.fixture
def program(db):
    program = make_program(phone_region="DE")
    make_type(program)
    return program


@pytest.fixture
def client(program):
    return caller_for(program)


def person(program, value=ANN, kind="email", **fields):
    member = Member.objects.create(program=program, **fields)
    Identity.objects.create(program=program, member=member, kind=kind, value=value)
    return member


def body(value, kind="email"):
    return {"identities": [{"kind": kind, "value": value}]}


def by_mail(value):
    return replace(purchase(None, "5"), member=("email", value))


def paid(member) -> int:
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


@pytest.mark.parametrize("value", SPELLINGS)
def test_enrolling_in_another_spelling_finds_the_member(client, value):
    first = client.post("members", body(ANN))

    second = client.post("members", body(value))

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert Member.objects.count() == 1


def test_an_identity_is_stored_as_it_was_given(client):
    answer = client.post("members", body(" Ann@Example.com"))

    assert answer.json()["identities"] == [
        {"kind": "email", "value": " Ann@Example.com"}
    ]


@pytest.mark.parametrize(
    ("kind", "stored", "asked"),
    [
        ("email", "Jos\u00e9@x.es", "JOSE\u0301@x.es"),
        ("phone", "+49 170 1234567", "0170 1234567"),
        ("phone", "0170/1234567", "+491701234567"),
        ("mobile_phone_number", "0049 170 1234567", "0170-1234567"),
        ("loyalty_id", "6000111 ", "6000111"),
    ],
)
def test_a_look_up_finds_any_spelling(program, client, kind, stored, asked):
    member = person(program, stored, kind)

    found = client.call(
        "get", "members/lookup?" + urlencode({"kind": kind, "value": asked}), None
    )
    listed = client.get(
        "members?" + urlencode({"identity_kind": kind, "identity_value": asked})
    )

    assert found.json()["id"] == member.pk
    assert [one["id"] for one in listed.json()["results"]] == [member.pk]


def test_one_enrolment_with_two_spellings_is_one_identity(client):
    identities = [{"kind": "email", "value": one} for one in (ANN, *SPELLINGS)]

    answer = client.post("members", {"identities": identities})

    assert answer.json()["identities"] == [{"kind": "email", "value": ANN}]


def test_an_identity_that_somebody_has_in_another_spelling_is_taken(program, client):
    person(program)
    ben = person(program, "ben@example.com")

    answer = client.post(f"members/{ben.pk}/identities", body("ANN@example.com"))

    problem_in(answer, 409, "identity_taken")


@pytest.mark.parametrize("value", SPELLINGS)
def test_an_activity_finds_its_member_in_any_spelling(program, client, value):
    member = person(program)
    sent = {"key": "k", "type": "PURCHASE", "occurred_at": "2026-03-04T12:00:00Z"}

    answer = client.post(
        "activities", {**sent, "value": 5, "member": {"kind": "email", "value": value}}
    )

    assert answer.status_code == 201, answer.content
    assert paid(member) == 5


def test_two_spellings_in_one_batch_enrol_one_member(program):
    commands = [by_mail("Ann@x.de"), by_mail("ann@x.de ")]

    record_activities(program.pk, commands, now=NOON, may_enrol=True)

    member = Member.objects.get()
    assert paid(member) == 10
    assert [one.value for one in member.identities.all()] == ["Ann@x.de"]


def row(key, member, moment="2026-03-04T12:00:00Z"):
    return {
        "key": key,
        "member": member,
        "occurred_at": moment,
        "type": "PURCHASE",
        "value": "5",
    }


def test_a_file_finds_and_enrols_in_any_spelling(program):
    member = person(program, "Ann@Example.com ")
    rows = [row("A", ANN), row("B", "ANN@example.com"), row("C", "New@x.de")]
    rows += [row("D", "new@X.de")]

    upload = finished(program, rows, identity_kind="email", unknown_members="create")

    assert upload.recorded_count == 4
    assert upload.dry_run["members"] == 2
    assert upload.dry_run["new_members"] == 1
    assert {one["member"] for one in upload.dry_run["largest"]} == {
        ANN,
        "ANN@example.com",
        "New@x.de",
        "new@X.de",
    }
    assert paid(member) == 10
    assert Identity.objects.filter(value__in=["New@x.de", "new@X.de"]).count() == 1


def test_a_refused_row_of_a_file_is_shown_as_it_stood(program):
    upload = checked(program, [row("A", "Nobody@x.de")], identity_kind="email")

    refusal = upload.refusals.get()
    assert refusal.raw[0]["member"] == "Nobody@x.de"
    assert "Nobody@x.de" in refusal.message


def test_a_list_of_members_finds_any_spelling(program, tmp_path):
    person(program)
    segment = make_segment(program)
    path = tmp_path / "members.csv"
    path.write_text("ANN@example.com\nnobody@x.de\n")

    with path.open("rb") as file:
        report = upload_members(
            segment,
            file,
            identity_kind="email",
            change=SegmentChange.ADD,
            at=NOON,
            has_heading=False,
        )

    assert (report.known_count, report.unknown) == (1, ["nobody@x.de"])


@pytest.fixture
def alike(program):
    """Three members from before, two of whom are called alike."""
    first, second, ben = (
        person(program, one) for one in ("Ann@x.de", "ann@y.de", "ben@x.de")
    )
    Identity.objects.filter(member=second).update(value="ann@x.de")
    Identity.objects.update(key=None)
    return first, second, ben


def migrated():
    module = import_module("loyalty.migrations.0030_work_out_identity_keys")
    module.key_identities(apps, SimpleNamespace(connection=connection))


def test_the_migration_keys_old_rows_and_merges_nobody(program, alike):
    first, second, _ = alike

    migrated()
    migrated()

    assert list(Identity.objects.order_by("pk").values_list("key", "is_duplicate")) == [
        ("ann@x.de", False),
        ("ann@x.de", True),
        ("ben@x.de", False),
    ]
    assert collisions_of(program.pk) == [
        ("email", "Ann@x.de", first.pk, "ann@x.de", second.pk)
    ]


def test_of_members_who_are_called_alike_each_is_found_by_its_own_spelling(
    program, client, alike
):
    first, second, _ = alike
    migrated()

    def found(value):
        return client.get(f"members/lookup?kind=email&value={value}").json()["id"]

    assert found("Ann@x.de") == first.pk
    assert found("ann@x.de") == second.pk
    assert found("ANN@X.DE") == first.pk
    assert Member.objects.count() == 3


def test_who_is_left_after_people_sorted_it_out_is_found_in_any_spelling(
    program, client, alike
):
    first, second, _ = alike
    migrated()
    first.identities.all().delete()

    found = client.get("members/lookup?kind=email&value=ANN@X.DE").json()
    settle_identities(program.pk)

    assert found["id"] == second.pk
    assert not Identity.objects.filter(is_duplicate=True).exists()
    assert collisions_of(program.pk) == []


def test_a_rule_of_the_program_changes_what_is_alike(program, client):
    upper, lower = person(program, "AB-1", "card"), person(program, "ab-1", "card")
    other = person(program, "cd-1", "card")
    IdentityRule.objects.create(program=program, kind="card", comparison="caseless")

    changed = settle_identities(program.pk)

    assert changed == 1
    (one,) = collisions_of(program.pk)
    assert {one.member_id, one.other_member_id} == {upper.pk, lower.pk}
    found = client.get("members/lookup?kind=card&value=CD-1").json()
    assert found["id"] == other.pk


@pytest.mark.django_db(transaction=True)
def test_many_who_enrol_one_person_at_once_get_one_member():
    program = make_program()
    values = ["Ann@x.de", "ann@x.de", "ANN@X.DE ", " ann@X.de"] * 3

    def enrol(value):
        try:
            return enrol_member(program.pk, Enrolment([("email", value)])).member.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(len(values)) as pool:
        members = set(pool.map(enrol, values))

    assert len(members) == 1
    assert Member.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_record_for_one_new_person_at_once_enrol_one_member():
    program = make_program()
    make_type(program)
    values = ["Ann@x.de", "ann@x.de", "ANN@X.DE ", " ann@X.de"] * 2

    def record(value):
        try:
            record_activities(program.pk, [by_mail(value)], now=NOON, may_enrol=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(values)) as pool:
        list(pool.map(record, values))

    assert paid(Member.objects.get()) == 5 * len(values)


def test_a_member_of_another_program_is_nobody_here(program, client):
    person(make_program(), ANN)

    answer = client.get(f"members/lookup?kind=email&value={ANN.upper()}")

    problem_in(answer, 404, "unknown_identity")
