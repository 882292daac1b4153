"""The arithmetic of the slots in which budgets are counted."""

from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import USAGE_SLOTS
from campaigns.services.budgets import Limit, Paid, paid_after, share

EVERY = range(USAGE_SLOTS)
amounts = st.integers(0, 1_000)
limits = st.builds(Limit, st.none() | amounts, st.none() | amounts)
asks = st.tuples(
    st.sampled_from(EVERY), st.builds(Paid, st.integers(0, 60), st.integers(0, 3))
)


def paid_one_by_one(slots, wanted, limit):
    """Pay as connections do: from their own slot if no slot leaves its share."""
    for own, asked in wanted:
        tried = {**slots, own: slots[own].plus(asked)}
        is_within = all(limit.of_slot(one).admits(paid) for one, paid in tried.items())
        after = paid_after({own: slots[own]} if is_within else slots, asked, limit)
        yield asked, after
        slots.update(after or {})


def total_of(slots):
    return Paid(*map(sum, zip(*slots.values(), strict=True)))


@given(amounts)
def test_the_shares_add_up_to_the_whole_and_differ_by_one_at_most(total):
    shares = [share(total, slot) for slot in EVERY]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@given(limits, st.lists(asks, max_size=60))
def test_an_award_is_refused_only_if_all_slots_together_lack_it(limit, wanted):
    slots = dict.fromkeys(EVERY, Paid())
    expected = Paid()

    for asked, after in paid_one_by_one(slots, wanted, limit):
        fits = limit.admits(expected.plus(asked))
        assert (after is not None) is fits
        expected = expected.plus(asked) if fits else expected

    assert total_of(slots) == expected
    assert limit.admits(expected)


@given(
    st.lists(
        st.builds(Paid, amounts, amounts), min_size=len(EVERY), max_size=len(EVERY)
    ),
    limits,
    st.lists(asks, max_size=20),
)
def test_however_uneven_the_slots_are_nothing_goes_above_a_new_limit(
    paid, limit, wanted
):
    slots = dict(zip(EVERY, paid, strict=True))
    before = total_of(slots)

    for asked, after in paid_one_by_one(slots, wanted, limit):
        if after is not None:
            assert limit.on(asked).admits(total_of({**slots, **after}))

    points, awards = total_of(slots)
    grown = Paid(points - before.points, awards - before.awards)
    assert limit.on(grown).admits(total_of(slots))


def test_what_takes_no_points_needs_none_of_them_to_be_left():
    slots = dict.fromkeys(EVERY, Paid(2, 1))
    limit = Limit(points=20, awards=20)

    assert paid_after(slots, Paid(1, 1), limit) is None
    assert total_of(paid_after(slots, Paid(0, 1), limit)) == Paid(32, 17)
    assert paid_after(slots, Paid(0, 5), limit) is None


@given(st.lists(asks, min_size=1, max_size=20))
def test_what_is_given_back_leaves_no_slot_below_zero(wanted):
    slots = dict.fromkeys(EVERY, Paid())
    for _ in paid_one_by_one(slots, wanted, Limit()):
        pass

    for _, (points, awards) in wanted[::-1]:
        after = paid_after(slots, Paid(-points, -awards), Limit())
        assert after is not None
        slots = after
        assert min(min(paid) for paid in slots.values()) >= 0

    assert total_of(slots) == Paid()
