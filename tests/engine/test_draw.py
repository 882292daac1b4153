"""Draws: whose ticket wins, and that chance is what the weights say."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from loyalty.engine.decisions import Award
from loyalty.engine.draw import SEED_BITS, draw, ticket_of, winner_of
from loyalty.engine.facts import Bucket, Offer, OfferKind, RewardKind
from loyalty.engine.methods import Given, draw_one
from tests.engine.offers import POINTS

seeds = st.integers(0, 2**SEED_BITS - 1)
numbers = st.integers(1, 10**9)
lines = st.lists(
    st.tuples(numbers, st.integers(0, 1000)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one[0],
).filter(lambda some: any(weight for _, weight in some))

DRAWS = 10_000
# Each of the tests below would fail once in so many runs with other seeds.
SIGNIFICANCE = 0.001


@pytest.mark.parametrize(
    ("ticket", "winner"),
    [(0, 3), (1, 3), (2, 5), (4, 5), (5, 9), (5 + 99, 9)],
    ids=["first", "last of the first", "second", "its last", "third", "last of all"],
)
def test_a_ticket_falls_into_the_share_of_one(ticket, winner):
    candidates = ((3, 2), (4, 0), (5, 3), (9, 100))

    assert winner_of(candidates, ticket) == winner


def test_a_ticket_beyond_all_shares_is_a_bug():
    with pytest.raises(ValueError, match="beyond"):
        winner_of(((3, 2), (4, 1)), 3)


@pytest.mark.parametrize("candidates", [[], [(1, 0)], [(1, 0), (2, 0)]])
def test_nobody_wins_where_nobody_has_a_chance(candidates):
    with pytest.raises(ValueError, match="Nobody"):
        draw(7, candidates, seed=1)


@given(candidates=lines, seed=seeds, campaign_id=numbers)
def test_the_winner_is_a_candidate_with_a_chance(candidates, seed, campaign_id):
    drawn = draw(campaign_id, candidates, seed)

    assert dict(candidates)[drawn.winner_id] > 0
    assert drawn.candidates == tuple(sorted(candidates))
    assert winner_of(drawn.candidates, drawn.ticket) == drawn.winner_id


@given(candidates=lines, seed=seeds, data=st.data())
def test_the_order_of_the_candidates_does_not_matter(candidates, seed, data):
    others = data.draw(st.permutations(candidates))

    assert draw(7, candidates, seed) == draw(7, others, seed)


@given(candidates=lines)
def test_each_ticket_falls_to_one_and_each_share_is_its_weight(candidates):
    ordered = sorted(candidates)
    total = sum(weight for _, weight in ordered)

    shares = Counter(winner_of(ordered, ticket) for ticket in range(total))

    assert shares == Counter({number: weight for number, weight in ordered if weight})


@given(seed=seeds, total=st.integers(1, 10**12), campaign_id=numbers)
def test_a_ticket_is_on_the_line(seed, total, campaign_id):
    assert 0 <= ticket_of(campaign_id, seed, total) < total


def test_campaigns_draw_with_one_seed_independently():
    pairs = Counter(
        (ticket_of(1, seed, 2), ticket_of(2, seed, 2)) for seed in range(4_000)
    )

    assert chisquare(list(pairs.values())).pvalue > SIGNIFICANCE


def test_a_published_draw_comes_out_the_same_for_ever():
    drawn = draw(42, [(7, 1), (8, 3), (9, 6)], seed=0x0123456789ABCDEF0123456789ABCDEF)

    assert (drawn.ticket, drawn.winner_id) == (1, 8)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param((1, 1, 1, 1), id="equal"),
        pytest.param((1,) * 10, id="ten alike"),
        pytest.param((1, 2, 3, 94), id="weighted"),
        pytest.param((5, 0, 95), id="one without a chance"),
        pytest.param((333, 667), id="two thirds"),
    ],
)
@pytest.mark.parametrize("spread", [1, 2**100 + 7], ids=["low seeds", "high seeds"])
def test_ten_thousand_draws_follow_the_weights(weights, spread):
    candidates = [(100 + place, weight) for place, weight in enumerate(weights)]

    won = Counter(draw(7, candidates, seed * spread).winner_id for seed in range(DRAWS))

    chances = [(number, weight) for number, weight in candidates if weight]
    expected = [DRAWS * weight / sum(weights) for _, weight in chances]
    found = [won[number] for number, _ in chances]
    assert sum(found) == DRAWS
    assert chisquare(found, expected).pvalue > SIGNIFICANCE


def test_the_chi_square_test_notices_a_draw_that_is_not_fair():
    # Shares that are off by a tenth: the test is sharp enough to be worth making.
    assert chisquare([2_750, 2_250, 2_500, 2_500]).pvalue < SIGNIFICANCE


@given(candidates=lines, seed=seeds)
def test_who_is_not_drawn_is_told_who_was(candidates, seed):
    methods = [
        Offer(
            number,
            OfferKind.REWARD_METHOD,
            Bucket.BONUS,
            POINTS,
            RewardKind.FIXED,
            campaign_id=7,
            weight=weight,
        )
        for number, weight in candidates
        if weight
    ]
    campaign = Offer(7, OfferKind.CAMPAIGN, Bucket.BONUS, POINTS, RewardKind.METHODS)
    outcome = Given(awards=[Award(method, 1, 1, None) for method in methods])

    draw_one(campaign, outcome, seed)

    (award,) = outcome.awards
    assert outcome.draw.winner_id == award.offer.id
    others = {method.id for method in methods} - {award.offer.id}
    assert {one.offer.id for one in outcome.rejections} == others
    assert {one.operands["winner"] for one in outcome.rejections} <= {award.offer.id}
