"""Twenty identical credits at once, by real threads on real connections."""

import pytest

from activities.models import Activity
from activities.reports import ledger_mismatches
from loyalty.models import Account, FrequencyPeriod
from tests.builders import make_member, make_program
from tests.concurrency.test_recording_races import at_once
from tests.contracts.crowdtwist.client import CrowdTwist, fixed

pytestmark = pytest.mark.django_db(transaction=True)

CREDITS = 20


@pytest.fixture
def program(transactional_db):
    return make_program()


@pytest.fixture
def crowdtwist(program):
    return CrowdTwist(program)


def credited(crowdtwist, member, row):
    """Return the answers to twenty identical credits sent together."""
    body = {"activity_id": str(row.pk), "num_points": 150, "extra_data": {"a": 1}}
    path = f"/v2/users/{member.pk}/activities"
    return at_once([lambda: crowdtwist.post(path, body)] * CREDITS)


def test_t17_without_a_key_every_one_of_twenty_identical_credits_counts(
    program, crowdtwist
):
    member = make_member(program)

    answers = credited(crowdtwist, member, fixed(program, "it"))

    assert {answer.content for answer in answers} == {b'{"awarded":true}'}
    assert {answer.status_code for answer in answers} == {200}
    assert Account.objects.get(member=member).balance == CREDITS * 150
    assert Activity.objects.count() == CREDITS
    assert list(ledger_mismatches()) == []


def test_t17_a_cap_of_one_awards_one_of_twenty_identical_credits(program, crowdtwist):
    lifetime, _ = FrequencyPeriod.objects.get_or_create(
        pk=5, defaults={"name": "Lifetime", "unit": "lifetime"}
    )
    member = make_member(program)
    once = fixed(program, "once", cap_count=1, frequency_period=lifetime)

    answers = credited(crowdtwist, member, once)

    assert {answer.content for answer in answers} == {b'{"awarded":true}'}
    assert Account.objects.get(member=member).balance == 150
    assert Activity.objects.count() == CREDITS
    assert list(ledger_mismatches()) == []
