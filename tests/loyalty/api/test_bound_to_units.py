"""A key that is bound to business units sees and does what the docs say, no more."""

import pytest

from activities.models import Upload
from campaigns.models import QuestOptIn
from loyalty.models import Member, Voucher
from tests import builders
from tests.callers import caller_for, problem_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db):
    return builders.make_program()


@pytest.fixture
def units(program):
    return [builders.make_unit(program, code) for code in ("mine", "other")]


@pytest.fixture
def bound(program, units):
    return caller_for(program, units=units[:1])


@pytest.fixture
def member(program):
    return builders.make_member(program, "C-1")


@pytest.fixture
def codes(program, units, member):
    """A voucher of each unit's campaign, one of a campaign of none, one by hand."""
    kind = builders.make_voucher_type(program)
    mine, other = (
        builders.make_campaign(program, business_unit=unit) for unit in units
    )
    offers = {
        "MINE-1": mine,
        "OTHER-1": other,
        "NONE-1": builders.make_campaign(program),
        "HAND-1": None,
    }
    for code, offer in offers.items():
        builders.make_voucher(kind, member, code=code, offer=offer)
    return offers


def test_it_lists_vouchers_of_its_units_and_of_none(bound, codes):
    rows = bound.get("vouchers").json()["results"]

    assert {row["code"] for row in rows} == {"MINE-1", "NONE-1", "HAND-1"}


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("claim", {}),
        ("unclaim", {}),
        ("lock", {"basket_code": "b", "seconds": 60, "locking_code": "x"}),
        ("unlock", {"locking_code": "x"}),
        ("redeem", {}),
    ],
)
def test_a_voucher_of_another_unit_is_unknown_to_it(bound, codes, step, body):
    before = Voucher.objects.values().get(code="OTHER-1")

    problem_in(bound.post(f"vouchers/OTHER-1/{step}", body), 404, "unknown_voucher")

    problem_in(bound.get("vouchers/OTHER-1"), 404, "unknown_voucher")
    problem_in(bound.get("vouchers/OTHER-1/qr"), 404, "unknown_voucher")
    assert Voucher.objects.values().get(code="OTHER-1") == before


def test_several_are_claimed_only_if_it_may_see_all_of_them(bound, codes):
    refused = bound.post("vouchers/claim", {"codes": ["MINE-1", "OTHER-1"]})

    problem_in(refused, 404, "unknown_voucher")
    assert not Voucher.objects.filter(status="claimed").exists()
    claimed = bound.post("vouchers/claim", {"codes": ["MINE-1", "NONE-1"]})
    assert claimed.status_code == 200, claimed.content


def test_it_looks_members_up_and_enrols_them(bound, member):
    found = bound.get("members/lookup?kind=customer_id&value=C-1")
    enrolled = bound.post(
        "members", {"identities": [{"kind": "customer_id", "value": "C-2"}]}
    )

    assert (found.status_code, enrolled.status_code) == (200, 201)


def test_it_changes_no_member(bound, member):
    refused = bound.patch(f"members/{member.pk}", {"is_blocked": True})

    problem_in(refused, 403, "bound_to_business_units")
    assert not Member.objects.get(pk=member.pk).is_blocked


@pytest.mark.parametrize(("place", "status"), [(0, 200), (1, 404), (None, 200)])
def test_it_opts_members_into_quests_of_its_units_and_of_none(
    program, units, bound, member, place, status
):
    kind = builders.make_type(program)
    quest = builders.make_quest(
        program,
        {"activity_type": kind},
        business_unit=None if place is None else units[place],
        is_enabled=True,
    )

    answer = bound.post(f"quests/{quest.pk}/opt-in", {"member": member.pk})

    assert answer.status_code == status, answer.content
    assert QuestOptIn.objects.exists() == (status == 200)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("campaigns", {"name": "x"}),
        ("login-sessions", {"member": {"id": 1}}),
        ("backtests", {}),
        ("uploads", {}),
    ],
)
def test_what_concerns_every_unit_is_closed_to_it(bound, path, body):
    problem_in(bound.post(path, body), 403, "bound_to_business_units")
    assert not Upload.objects.exists()
