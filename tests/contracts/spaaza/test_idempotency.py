"""T-20: with an ``Idempotency-Key`` a repeated call gets the first answer."""

from datetime import timedelta

import pytest

from activities.models import Interaction
from loyalty.models import Account, IdempotentResponse
from tests.builders import make_member, make_program, make_wallet
from tests.callers import caller_for
from tests.contracts.spaaza.client import (
    as_admin,
    as_client,
    as_member,
    done,
    refused,
    scratch_card,
)

pytestmark = pytest.mark.django_db
ONCE = {"Idempotency-Key": "once"}


def balance(member):
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def test_a_repeated_call_acts_once_and_gets_the_first_answer(call, member):
    call = call.with_headers(ONCE)

    first = call.send()
    again = call.send()

    done(first)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert again["Cache-Control"] == "no-store"
    assert "Idempotency-Replayed" not in first
    assert (Interaction.objects.count(), balance(member)) == (1, 10)


def test_the_answer_is_given_for_24_hours_and_longer(member, campaign, noon):
    call = as_client(member, campaign).with_headers(ONCE)
    first = call.send()
    noon.shift(timedelta(days=400))

    assert call.send().content == first.content


@pytest.mark.parametrize("what", ["off", "blocked"])
def test_the_answer_is_given_whatever_became_of_it(member, campaign, what):
    call = as_client(member, campaign).with_headers(ONCE)
    first = call.send()
    row, field = {"off": (campaign, "is_enabled"), "blocked": (member, "is_blocked")}[
        what
    ]
    setattr(row, field, not getattr(row, field))
    row.save()

    assert call.send().content == first.content


def test_the_same_interaction_in_another_way_is_a_repetition(member, campaign):
    first = as_client(member, campaign).with_headers(ONCE).send()

    for again in (as_member(member, campaign), as_admin(member, campaign)):
        assert again.with_headers(ONCE).send().content == first.content
    assert again.with_headers(ONCE).send("post").content == first.content
    assert Interaction.objects.count() == 1


def test_419_the_key_of_another_campaign(program, member, campaign):
    call = as_client(member, campaign).with_headers(ONCE)
    done(call.send())

    refused(call.changed(campaign_id=scratch_card(program).pk).send(), 419)


def test_419_the_key_of_another_member(program, member, campaign):
    call = as_client(member, campaign).with_headers(ONCE)
    done(call.send())

    refused(call.changed(user_id=make_member(program).pk).send(), 419)


def test_the_same_key_in_another_program_is_another_key(call, member, campaign):
    other = make_member(make_program())
    make_wallet(other.program)
    theirs = as_client(other, scratch_card(other.program)).with_headers(ONCE)

    done(call.with_headers(ONCE).send())
    assert "Idempotency-Replayed" not in theirs.send()
    assert Interaction.objects.count() == 2


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 201, '"', "a b", "é".encode().decode("latin-1")]
)
def test_419_what_is_no_key(call, key):
    refused(call.with_headers({"Idempotency-Key": key}).send(), 419)


def test_a_quoted_key_is_the_same_as_a_bare_one(call):
    first = call.with_headers({"Idempotency-Key": '"once"'}).send()

    assert call.with_headers(ONCE).send().content == first.content


def test_who_is_refused_keeps_the_key(member, campaign):
    call = as_client(member, campaign).with_headers(ONCE)
    campaign.is_enabled = False
    campaign.save()
    refused(call.send(), 449)
    refused(call.changed(campaign_id="x").send(), 247)
    campaign.is_enabled = True
    campaign.save()

    response = call.send()

    done(response)
    assert "Idempotency-Replayed" not in response


def test_head_uses_up_no_key(call):
    call = call.with_headers(ONCE)
    call.send("head")

    assert "Idempotency-Replayed" not in call.send()


def test_a_remark_is_repeated_like_any_answer(member, campaign):
    campaign.cap_count, campaign.frequency_period_id = 1, 5
    campaign.save()
    call = as_client(member, campaign)
    done(call.send())
    call = call.with_headers(ONCE)

    first, again = call.send(), call.send()

    assert first.json()["warnings"][0]["code"] == 450
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"


def test_the_key_stands_on_the_interaction_so_that_it_outlives_the_answer(
    member, campaign
):
    call = as_client(member, campaign).with_headers(ONCE)
    first = call.send()
    IdempotentResponse.objects.all().delete()

    again = call.send()

    assert again.json() == first.json()
    assert (Interaction.objects.count(), balance(member)) == (1, 10)


def test_no_key_of_the_native_api_is_taken_for_one_of_the_contract(member, campaign):
    api = caller_for(member.program)
    native = {"Idempotency-Key": '"spaaza once"'}
    body = {"member": {"id": member.pk}}
    api.post(f"campaigns/{campaign.pk}/interactions", body, **native)

    done(as_client(member, campaign).with_headers(ONCE).send())

    assert Interaction.objects.count() == 2
