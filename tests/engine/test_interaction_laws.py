"""What holds of every interaction, whatever the campaign."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.facts import (
    Budget,
    Codes,
)
from loyalty.engine.interactions import Verdict
from loyalty.engine.periods import Unit
from tests.engine.interactions import (
    BLANK,
    COST_5,
    COST_30,
    COST_GEMS,
    CREDITS,
    GEMS,
    LISTED,
    VOUCHER,
    decide,
    given_by,
    scratch_card,
)
from tests.engine.offers import (
    method,
)

kinds = st.sampled_from(
    [{"points": 10}, {"points": 7}, BLANK, VOUCHER, {**LISTED, "voucher_type_id": 4}]
)
methods = st.builds(
    lambda kind, **fields: {**kind, **fields},
    kinds,
    weight=st.integers(0, 3),
    cap=st.sampled_from([None, 1]),
    awards_budget=st.sampled_from([None, 5]),
    segments=st.sampled_from([frozenset(), frozenset(), frozenset({1})]),
    price=st.sampled_from([{}, COST_5, COST_30, COST_GEMS]),
)
campaigns = st.fixed_dictionaries(
    {
        "draws": st.booleans(),
        "price": st.sampled_from([{}, COST_5, COST_GEMS]),
        "points_budget": st.sampled_from([None, 15]),
        "awards_budget": st.sampled_from([None, 4]),
        "clips_to_budget": st.booleans(),
    }
)


@st.composite
def cases(draw):
    """Return a campaign with its methods and what is left of everything."""
    fields = draw(campaigns)
    price = fields.pop("price")
    some = draw(st.lists(methods, max_size=6))
    given = []
    for number, one in enumerate(some, 1):
        cost = one.pop("price")
        given.append(method(id=number, period=Unit.LIFETIME, **one, **cost))
    campaign = scratch_card(*given, id=99, **fields, **price)
    codes = Codes(draw(st.integers(0, 2)))
    left = {
        one.id: Budget(
            awards_left=draw(st.integers(0, 2)) if one.awards_budget else None,
            codes=codes if one.takes_codes else None,
        )
        for one in campaign.methods
        if one.has_budget or one.takes_codes
    }
    if campaign.has_budget:
        left[99] = Budget(
            draw(st.integers(0, 15)) if campaign.points_budget else None,
            draw(st.integers(0, 3)) if campaign.awards_budget else None,
        )
    return campaign, left, draw(st.lists(st.integers(1, 6), max_size=3))


purses = st.dictionaries(
    st.sampled_from([CREDITS, GEMS]), st.one_of(st.none(), st.integers(0, 60))
)
seeds = st.integers(0, 2**128 - 1)


@given(case=cases(), at_hand=purses, seed=seeds)
def test_what_happens_never_costs_more_than_is_at_hand(case, at_hand, seed):
    campaign, left, had = case

    outcome = decide(campaign, at_hand=at_hand, had=had, left=left, seed=seed)

    if outcome.verdict is Verdict.ACTED:
        assert len({one.wallet_id for one in outcome.prices}) == len(outcome.prices)
        for wallet_id, amount in outcome.prices:
            available = at_hand.get(wallet_id, 0)
            assert available is None or 0 < amount <= available
    else:
        assert outcome.decision is None


def rich(campaign, left, had, seed):
    purse = {CREDITS: None, GEMS: None}
    return decide(campaign, at_hand=purse, had=had, left=left, seed=seed)


@given(case=cases(), seed=seeds)
def test_no_limit_is_ever_exceeded(case, seed):
    campaign, left, had = case

    outcome = rich(campaign, left, had, seed)

    if outcome.verdict is not Verdict.ACTED:
        return
    awards = outcome.decision.awards
    assert len(awards) == 1 or not campaign.draws
    for one in awards:
        limit = left.get(one.offer.id, Budget())
        assert limit.awards_left is None or limit.awards_left > 0
        assert one.offer.cap is None or one.offer.id not in had
        assert not one.offer.segments
        assert one.offer.weight or not campaign.draws
    own = left.get(99, Budget())
    points = sum(one.points for one in awards)
    assert own.points_left is None or points <= own.points_left
    assert own.awards_left is None or len(awards) <= own.awards_left
    coded = [one for one in awards if one.offer.takes_codes]
    assert len(coded) <= min(
        (left[one.offer.id].codes.left for one in coded), default=0
    )


@given(case=cases(), seed=seeds)
def test_every_method_is_decided_exactly_once(case, seed):
    campaign, left, had = case

    outcome = rich(campaign, left, had, seed)

    if outcome.verdict is Verdict.ACTED:
        decision = outcome.decision
        named = [one.offer.id for one in (*decision.awards, *decision.rejections)]
        assert sorted(named) == [one.id for one in campaign.methods]
        counted = {one.offer_id for one in decision.counted}
        assert counted == {99, *given_by(outcome)}


@given(case=cases(), seed=seeds, other=seeds)
def test_the_price_does_not_tell_what_would_be_drawn(case, seed, other):
    campaign, left, had = case

    one = rich(campaign, left, had, seed)
    another = rich(campaign, left, had, other)

    assert one.verdict is another.verdict
    assert one.prices == another.prices


@given(case=cases(), at_hand=purses, seed=seeds)
def test_what_is_left_is_only_looked_at(case, at_hand, seed):
    campaign, left, had = case
    before = {number: replace(one) for number, one in left.items()}

    decide(campaign, at_hand=at_hand, had=had, left=left, seed=seed)

    assert left == before
