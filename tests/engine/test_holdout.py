"""Who is held out: a law of the salt, the member and the share."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.conditions import failure_of_holdout
from loyalty.engine.decisions import Reason, Rejection
from loyalty.engine.evaluation import evaluate
from loyalty.engine.facts import RewardKind
from loyalty.engine.holdout import Holdout, is_held_out
from tests.engine.offers import RULES, activity, anyone, base, offer

SALTS = st.text(max_size=32)
MEMBERS = st.integers(1, 2**63 - 1)
SHARES = st.integers(0, 10_000)
EVERYONE = range(1, 40_001)
# Out of 40,000 at 10 %: five standard deviations of the binomial distribution.
FIVE_DEVIATIONS = 5 * (40_000 * 0.1 * 0.9) ** 0.5
HELD_OUT = Holdout("salt", 10_000)


@given(SALTS, MEMBERS, SHARES, SHARES)
def test_a_larger_share_only_adds_members(salt, member_id, one, other):
    smaller, larger = sorted((one, other))

    assert is_held_out(salt, member_id, larger) or not is_held_out(
        salt, member_id, smaller
    )


@given(SALTS, MEMBERS)
def test_no_share_holds_out_nobody_and_all_of_it_everybody(salt, member_id):
    assert not is_held_out(salt, member_id, 0)
    assert is_held_out(salt, member_id, 10_000)


@given(SALTS, MEMBERS, SHARES)
def test_it_is_the_same_each_time(salt, member_id, share):
    assert is_held_out(salt, member_id, share) == is_held_out(salt, member_id, share)


@pytest.mark.parametrize("salt", ["", "spring", "0f9c2a", "ünï"])
def test_a_tenth_of_neighbouring_numbers_is_a_tenth(salt):
    count = sum(is_held_out(salt, one, 1000) for one in EVERYONE)

    assert abs(count - 4000) < FIVE_DEVIATIONS


def test_two_salts_hold_out_members_independently_of_each_other():
    pairs = Counter(
        (is_held_out("one", member, 5000), is_held_out("two", member, 5000))
        for member in EVERYONE
    )

    # A quarter each: of 40,000, five standard deviations are 433.
    assert all(abs(count - 10_000) < 433 for count in pairs.values())


@pytest.mark.parametrize(
    ("holdout", "reason"),
    [
        pytest.param(None, None, id="no holdout"),
        pytest.param(Holdout("salt", 0), None, id="let in"),
        pytest.param(HELD_OUT, Reason.IN_HOLDOUT, id="held out"),
    ],
)
def test_the_holdout_is_a_reason_not_to_pay(holdout, reason):
    failure = failure_of_holdout(offer(holdout=holdout), 7)

    assert (failure and failure.reason) == reason


def decide(*campaigns, member_id=7):
    return evaluate(
        activity(), anyone(member_id=member_id), base(), campaigns, RULES, {}
    )


def test_whoever_is_held_out_earns_everything_else():
    measured, other = offer(holdout=HELD_OUT), offer()

    decision = decide(measured, other)

    assert [award.offer.id for award in decision.awards] == [1, other.id]
    assert decision.rejections == (
        Rejection(measured, Reason.IN_HOLDOUT, {"share": 10_000}),
    )


def test_an_offer_that_does_not_apply_anyway_names_its_own_reason():
    decision = decide(offer(holdout=HELD_OUT, segments=frozenset({9})))

    assert decision.rejections[0].reason is Reason.NOT_IN_SEGMENT


def test_reward_methods_follow_their_campaign():
    method = offer(campaign_id=5000)
    measured = offer(
        id=5000, reward=RewardKind.METHODS, methods=(method,), holdout=HELD_OUT
    )

    decision = decide(measured)

    assert [award.offer.id for award in decision.awards] == [1]
    assert [one.reason for one in decision.rejections] == [Reason.IN_HOLDOUT]


def test_of_an_exclusive_group_the_next_pays_whoever_is_held_out_of_the_first():
    first = offer(holdout=HELD_OUT, exclusive_group="summer")
    second = offer(exclusive_group="summer")

    decision = decide(first, second)

    assert [award.offer.id for award in decision.awards] == [1, second.id]


def test_the_member_s_own_number_decides():
    holdout = Holdout("spring", 1000)
    earning = [
        member_id
        for member_id in range(1, 60)
        if len(decide(offer(holdout=holdout), member_id=member_id).awards) == 2
    ]

    assert set(range(1, 60)) - set(earning) == {3, 4, 11, 36, 43, 44}
