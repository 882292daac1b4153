"""The index of campaigns: what it leaves out could not have paid."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.conditions import first_failure
from loyalty.engine.facts import (
    Distribution,
    Item,
    ItemGroup,
    OfferKind,
    RewardKind,
)
from loyalty.engine.programme import (
    OfferIndex,
    Programme,
    TypeRule,
    order_of_evaluation,
)
from tests.engine.offers import (
    NOON,
    RULES,
    activity,
    base,
    composed,
    method,
    offer,
)

ids = st.integers(1, 3)
sets_of_ids = st.frozensets(ids, max_size=2)
moments = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))


@st.composite
def campaigns(draw):
    starts_at = draw(moments)
    return offer(
        id=draw(st.integers(1, 10_000)),
        priority=draw(st.integers(-1, 1)),
        is_enabled=draw(st.booleans()),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=draw(st.integers(1, 4))),
        business_unit_id=draw(st.none() | ids),
        activity_type_ids=draw(sets_of_ids),
        channel_ids=draw(sets_of_ids),
        segments=draw(sets_of_ids),
        excluded_segments=draw(sets_of_ids),
        item_list_id=draw(st.none() | ids),
        business_unit_ids=draw(sets_of_ids),
        qualify=tuple(
            draw(
                st.lists(
                    st.builds(ItemGroup, ids, st.integers(0, 2), st.booleans()),
                    max_size=2,
                )
            )
        ),
    )


@given(
    offers=st.lists(campaigns(), max_size=12, unique_by=lambda one: one.id),
    moment=moments,
    type_id=ids,
    unit_id=st.none() | ids,
    channel_id=st.none() | ids,
    segment_ids=st.frozensets(ids),
    list_ids=st.frozensets(ids),
)
def test_the_index_finds_every_campaign_that_applies_in_order(  # noqa: PLR0917 (one argument for each dimension)
    offers, moment, type_id, unit_id, channel_id, segment_ids, list_ids
):
    happened = activity(
        occurred_at=moment,
        activity_type_id=type_id,
        business_unit_id=unit_id,
        channel_id=channel_id,
        items=(Item("a", 1, tuple(list_ids)),),
    )

    found = OfferIndex(offers).candidates(
        moment, type_id, unit_id, channel_id, segment_ids, list_ids
    )

    applies = {
        one.id
        for one in offers
        if first_failure(one, happened, segment_ids, None, RULES) is None
    }
    assert applies <= {one.id for one in found}
    assert found == sorted(found, key=order_of_evaluation)


def test_campaigns_that_cannot_match_are_not_met():
    elsewhere = [
        offer(activity_type_ids=frozenset({2})),
        offer(segments=frozenset({9})),
        offer(item_list_id=9),
        offer(business_unit_id=9),
        offer(channel_ids=frozenset({9})),
        offer(business_unit_ids=frozenset({8, 9})),
        offer(qualify=(ItemGroup(9, 1),)),
        offer(qualify=(ItemGroup(1, 0), ItemGroup(9, 2))),
        offer(is_enabled=False),
        offer(ends_at=NOON),
    ]
    here = [
        offer(),
        offer(business_unit_ids=frozenset({1, 9})),
        offer(qualify=(ItemGroup(9, 1, excludes=True),)),
    ]

    found = OfferIndex([*elsewhere, *here]).candidates(
        NOON, 1, 1, 1, frozenset({1}), frozenset({1})
    )

    assert found == here


def test_an_activity_of_no_unit_meets_campaigns_of_every_unit():
    here = [offer(business_unit_id=4), offer(business_unit_ids=frozenset({5, 6}))]

    found = OfferIndex(here).candidates(NOON, 1, None, None, frozenset(), frozenset())

    assert found == here


def programme(*campaigns, **fields):
    rule = TypeRule(base(), "PURCHASE", allows_negative_value=False)
    return Programme(1, 1, RULES, {"PURCHASE": rule}, campaigns, **fields)


def met_by(compiled):
    return compiled.index.candidates(NOON, 1, None, None, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("context", "is_met"),
    [("activity", True), ("basket", True), ("interaction", False), ("internal", False)],
)
def test_activities_meet_the_campaigns_that_activities_set_off(context, is_met):
    compiled = programme(composed(method(id=8), id=9, context=context, draws=True))

    assert bool(met_by(compiled)) is is_met
    assert compiled.has_draws is is_met
    assert {8, 9} <= set(compiled.offers)


def test_methods_bring_along_what_must_be_gathered():
    asking = method(
        segments=frozenset({2}),
        excluded_segments=frozenset({3}),
        qualify=(ItemGroup(5, 1),),
        redeem=ItemGroup(6),
    )
    campaign = composed(
        asking, segments=frozenset({1}), item_list_id=4, qualify=(ItemGroup(7, 1),)
    )

    compiled = programme(campaign)

    assert compiled.segment_ids == {1, 2, 3}
    assert compiled.item_list_ids == {4, 5, 6, 7}
    # A method's segments do not decide whether the campaign is met.
    assert compiled.index.segment_ids == {1}


def test_methods_are_offers_by_number_and_belong_to_their_campaign():
    compiled = programme(composed(method(id=8), id=9))

    assert compiled.offers[8].kind is OfferKind.REWARD_METHOD
    assert compiled.offers[8].campaign_id == 9


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        pytest.param({}, False, id="a fixed reward"),
        pytest.param({"qualify": (ItemGroup(5, 1),)}, False, id="products of a list"),
        pytest.param(
            {"qualify": (ItemGroup(5, 1, excludes=True),)}, True, id="all but a list"
        ),
        pytest.param({"redeem": ItemGroup(5)}, False, id="rewarding a list"),
        pytest.param(
            {"redeem": ItemGroup(5, excludes=True)}, True, id="rewarding all but a list"
        ),
        pytest.param(
            {"distribution": Distribution.PER_ITEM}, True, id="each product of a basket"
        ),
        pytest.param(
            {"distribution": Distribution.PER_ITEM, "item_list_id": 5},
            False,
            id="each product of a list",
        ),
        pytest.param(
            {"distribution": Distribution.SPREAD, "redeem": ItemGroup(5)},
            False,
            id="spread over a list",
        ),
        pytest.param(
            {"reward": RewardKind.PER_ITEM_VALUE}, True, id="the value of products"
        ),
    ],
)
def test_what_is_on_no_list_is_counted_where_a_rule_asks_for_it(fields, counts):
    assert programme(composed(method(**fields))).counts_unlisted is counts


def test_trying_other_campaigns_leaves_the_rest():
    compiled = programme(offer(id=8)).with_campaigns([offer(id=9)])

    assert [one.id for one in met_by(compiled)] == [9]
    assert 8 not in compiled.offers
