"""The index of campaigns: what it leaves out could not have paid."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.conditions import first_failure
from loyalty.engine.facts import Item
from loyalty.engine.programme import OfferIndex, order_of_evaluation
from tests.engine.offers import NOON, RULES, activity, offer

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
        offer(ends_at=NOON),
    ]
    here = offer()

    found = OfferIndex([*elsewhere, here]).candidates(
        NOON, 1, 1, 1, frozenset({1}), frozenset({1})
    )

    assert found == [here]
