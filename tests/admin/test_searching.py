"""Finding a member, campaign, activity or voucher from any page."""

import pytest

from activities.services import record_activities
from loyalty.models import Identity, Member
from tests.admin.forms import page
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_type,
    make_voucher,
    make_voucher_type,
    purchase,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def ann(program):
    member = make_member(
        program,
        "4711-0815",
        attributes={"first_name": "Ann", "last_name": "Lee-Smith"},
    )
    Identity.objects.create(
        program=program, member=member, kind="email", value="ann.lee@example.com"
    )
    return member


def found(client, text):
    answer = client.get("/admin/search/", {"s": text})
    assert answer.status_code == 200
    return [(hit.title, hit.link) for hit in answer.context["hits"]], answer


@pytest.mark.parametrize(
    "text",
    ["4711-0815", "ann.lee@example.com", "lee@exam", "11-08", "lee-sm", "Ann Lee"],
)
def test_members_are_found_by_identity_name_and_email_also_in_part(
    admin_client, program, ann, text
):
    make_member(program, "other")

    hits, _ = found(admin_client, text)

    assert [link for _, link in hits] == [page(Member, "change", ann.pk)]


@pytest.mark.parametrize("text", ["4711-0815", "lee@exam", "Smith"])
def test_so_are_they_in_the_list(admin_client, program, ann, text):
    make_member(program, "other")

    answer = admin_client.get(page(Member, "changelist"), {"q": text})

    assert list(answer.context["cl"].result_list) == [ann]


def test_campaigns_activities_vouchers_and_pages_are_found(admin_client, program, ann):
    make_campaign(program, name="Summer double")
    voucher = make_voucher(make_voucher_type(program), ann, code="SAVE-5")
    record_activities(program.pk, [purchase(ann, "1", key="receipt-9")], now=NOON)

    assert found(admin_client, "summer")[0][0][0] == "Summer double"
    assert found(admin_client, "receipt-9")[0][0][0] == "receipt-9"
    assert found(admin_client, "save-5")[0][0][0] == voucher.code
    assert found(admin_client, "backtes")[0][0][0] == "Backtests"


def test_finding_nothing_says_so(admin_client, program):
    hits, answer = found(admin_client, "nobody<b>")

    assert hits == []
    assert "Nothing found for “nobody&lt;b&gt;”." in answer.content.decode()


@pytest.mark.parametrize("text", ["", "  ", "\x00", "%", "a" * 5000, "'"])
def test_any_text_is_answered(admin_client, program, text):
    found(admin_client, text)


def test_other_programs_stay_closed(admin_client, program, ann):
    other = make_program()
    make_campaign(other, name="Secret summer")
    make_member(other, "4711-0815-other")

    assert found(admin_client, "secret")[0] == []
    assert len(found(admin_client, "4711")[0]) == 1


def test_what_one_may_not_see_is_not_found(client, program, ann):
    from django.contrib.auth.models import User

    client.force_login(User.objects.create_user("x", password="x", is_staff=True))

    assert found(client, "4711-0815")[0] == []
    client.logout()
    assert client.get("/admin/search/", {"s": "4711"}).status_code == 302


def test_a_search_that_takes_too_long_says_what_to_type(
    admin_client, program, ann, monkeypatch
):
    from django.db import OperationalError

    def slow(*args, **kwargs):
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr("loyalty.admin.searching.named", slow)

    _, answer = found(admin_client, "lee@exam")

    assert "Type a whole customer number" in answer.content.decode()
