"""Who acted: by primary key, by anonymous id, by both."""

from datetime import timedelta

import pytest

from activities.models import Activity, ProfileMerge
from loyalty.models import Account, AnonymousProfile, Identity, Member, Program
from tests.builders import NOON, make_member
from tests.contracts.netcore.client import accepted, faults_of

pytestmark = pytest.mark.django_db


def balance(member):
    account = Account.objects.filter(member=member).first()
    return 0 if account is None else account.balance


def test_an_unknown_identity_is_enrolled(client, item):
    accepted(client.upload(item(identity="new")))

    identity = Identity.objects.get()
    assert (identity.kind, identity.value) == ("customer_id", "new")
    assert balance(identity.member) == 5


def test_the_program_says_what_kind_of_identity_the_primary_key_is(client, item):
    Program.objects.update(primary_identity="email")
    member = Member.objects.create(program=Program.objects.get())
    Identity.objects.create(
        program=member.program, member=member, kind="email", value="jo@example.com"
    )

    accepted(client.upload(item(identity="Jo@Example.com")))

    assert balance(member) == 5


def test_identities_are_compared_to_the_letter(client, item):
    accepted(client.upload([item(identity="c-1"), item(identity="C-1")]))

    assert Member.objects.count() == 2


def test_email_addresses_are_the_same_in_any_case(client, item):
    accepted(client.upload([item(identity="Jo@x.org"), item(identity="jo@X.ORG")]))

    assert Identity.objects.get().value == "jo@x.org"
    assert Activity.objects.count() == 1


def test_an_address_that_was_loaded_with_capitals_is_found_as_it_is_spelled(
    client, item, program
):
    member = make_member(program, "Jo@X.org")

    accepted(client.upload(item(identity="Jo@X.org")))
    accepted(client.upload(item(identity="jo@x.org", activity_name="Visit")))

    assert Member.objects.get() == member
    assert Activity.objects.filter(member=member).count() == 2


@pytest.mark.parametrize("name", ["annonid", "anonid"])
def test_an_anonymous_id_is_enough_in_both_spellings(client, item, name):
    accepted(client.upload(item(identity=..., **{name: "cookie-1"})))

    activity = Activity.objects.get()
    assert activity.member is None
    assert activity.anonymous_profile.anonymous_id == "cookie-1"
    assert not Member.objects.exists()


def test_both_spellings_may_say_the_same(client, item):
    accepted(client.upload(item(identity=..., annonid="a", anonid=" a ")))


def test_two_anonymous_ids_that_differ_are_refused(client, item):
    response = client.upload(item(annonid="a", anonid="b"))

    assert faults_of(response) == [(0, "annonid", "CONFLICTING_IDENTIFIERS")]


@pytest.mark.parametrize("blank", ["", " ", None])
def test_a_blank_identity_beside_an_anonymous_id_is_absent(client, item, blank):
    accepted(client.upload(item(identity=blank, annonid="cookie-1")))

    assert Activity.objects.get().member is None


def test_without_any_id_an_activity_is_of_nobody(client, item):
    response = client.upload(item(identity=..., email="jo@x.org"))

    assert response.json()["error"] == "Missing Parameter - Identity"


def test_anonymous_activities_earn_nothing(client, item):
    accepted(client.upload(item(identity=..., annonid="cookie-1")))

    assert not Account.objects.filter(kind="member").exists()


def test_an_activity_with_both_ids_makes_the_profile_the_members(client, item, member):
    client.upload(item(identity=..., annonid="cookie-1", activity_name="Visit"))

    accepted(client.upload(item(annonid="cookie-1")))

    assert AnonymousProfile.objects.get().merged_into == member
    assert Activity.objects.filter(member=member).count() == 2
    assert ProfileMerge.objects.get().source == "netcore"
    assert balance(member) == 5


def test_an_unknown_identity_converts_the_anonymous_profile(client, item):
    client.upload(item(identity=..., annonid="cookie-1", activity_name="Visit"))

    accepted(client.upload(item(identity="new", annonid="cookie-1")))

    member = Member.objects.get()
    assert Activity.objects.filter(member=member).count() == 2


def test_after_that_the_anonymous_id_alone_is_the_member(client, item, member):
    client.upload(item(annonid="cookie-1"))

    accepted(
        client.upload(
            item(identity=..., annonid="cookie-1", timestamp="2026-03-04T11:00:00Z")
        )
    )

    assert balance(member) == 10


def test_a_second_identity_gets_only_its_own_activity(client, item, member, program):
    other = make_member(program, "C-2")
    client.upload(item(identity=..., annonid="cookie-1", activity_name="Visit"))
    client.upload(item(annonid="cookie-1"))

    accepted(client.upload(item(identity="C-2", annonid="cookie-1")))

    assert AnonymousProfile.objects.get().merged_into == member
    assert Activity.objects.filter(member=member).count() == 2
    assert Activity.objects.filter(member=other).count() == 1


@pytest.mark.parametrize(
    ("policy", "age", "points"),
    [
        pytest.param("off", timedelta(hours=1), 5, id="off"),
        pytest.param("window", timedelta(hours=1), 10, id="inside the window"),
        pytest.param("window", timedelta(hours=25), 5, id="before the window"),
        pytest.param("all", timedelta(days=300), 10, id="all"),
    ],
)
def test_the_program_says_what_earlier_activities_earn(
    client, item, member, frozen, *, policy, age, points
):
    Program.objects.update(retro_points=policy, retro_hours=24)
    frozen.shift(-age)
    earlier = (NOON - age).isoformat()
    accepted(client.upload(item(identity=..., annonid="cookie-1", timestamp=earlier)))
    frozen.shift(age)

    accepted(client.upload(item(annonid="cookie-1")))

    assert balance(member) == points


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("email", "email", "Jo@X.org"),
        ("mobile", "phone", "+915550100"),
        ("mobile", "phone", "915550100"),
    ],
)
def test_email_and_mobile_find_a_member_and_never_make_one(
    client, item, member, name, kind, value
):
    Identity.objects.create(
        program=member.program, member=member, kind=kind, value=value.lower()
    )

    accepted(client.upload(item(identity="new", **{name: value})))
    accepted(client.upload(item(identity="new", activity_name="Visit")))

    assert Member.objects.count() == 1
    assert Activity.objects.filter(member=member).count() == 2


def test_an_email_that_was_loaded_with_capitals_finds_its_member(client, item, member):
    Identity.objects.create(
        program=member.program, member=member, kind="email", value="Jo@X.org"
    )

    accepted(client.upload(item(identity="new", email="Jo@X.org")))

    assert Member.objects.get() == member


@pytest.mark.parametrize("mobile", ["+91 555-0100", 915550100, "915550100"])
def test_a_mobile_number_is_found_however_it_is_written(client, item, member, mobile):
    Identity.objects.create(
        program=member.program, member=member, kind="phone", value="+915550100"
    )

    accepted(client.upload(item(identity="new", mobile=mobile)))

    assert Member.objects.count() == 1


def test_email_and_mobile_are_not_kept_as_identities(client, item):
    accepted(client.upload(item(identity="new", email="jo@x.org", mobile=915550100)))

    assert [one.kind for one in Identity.objects.all()] == ["customer_id"]


def test_a_blocked_contact_is_told(client, item, member):
    Member.objects.update(is_blocked=True)

    response = client.upload(item())

    assert faults_of(response) == [(0, "identity", "BLOCKED_CONTACT")]
