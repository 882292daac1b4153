"""What a member sees of an activity type: every row of the listing table."""

from datetime import UTC

import pytest

from loyalty.engine.facts import Clock, Rules
from loyalty.engine.showing import Showing, showing_of
from loyalty.engine.tiers import TierStep
from tests.engine.offers import base

# The lowest tier has the highest number: rank counts, not the number.
BRONZE, GOLD = TierStep(9, 0, 0), TierStep(3, 1, 1_000)
RULES = Rules(Clock(UTC), (BRONZE, GOLD))
NEW_YORK = 7
OPEN, LOCKED, HIDDEN = Showing.OPEN, Showing.LOCKED, Showing.HIDDEN


@pytest.mark.parametrize(
    ("threshold", "tier_id", "locks", "showing"),
    [
        pytest.param(None, None, False, OPEN, id="no tier needed"),
        pytest.param(1_000, GOLD.id, False, OPEN, id="holds it"),
        pytest.param(0, GOLD.id, False, OPEN, id="above it"),
        pytest.param(1_000, BRONZE.id, True, LOCKED, id="below, locked"),
        pytest.param(1_000, BRONZE.id, False, HIDDEN, id="below, hidden"),
        pytest.param(1_000, None, True, LOCKED, id="no tier, locked"),
    ],
)
def test_below_the_tier_it_is_locked_or_hidden(threshold, tier_id, locks, showing):
    offer = base(minimum_tier_threshold=threshold)

    assert (
        showing_of(offer, frozenset(), tier_id, RULES, locks_by_tier=locks) is showing
    )


@pytest.mark.parametrize(
    ("fields", "segment_ids", "showing"),
    [
        pytest.param({}, {NEW_YORK}, OPEN, id="no segment"),
        pytest.param({"segments": {NEW_YORK}}, {NEW_YORK}, OPEN, id="let in"),
        pytest.param({"segments": {NEW_YORK}}, set(), HIDDEN, id="not let in"),
        pytest.param(
            {"excluded_segments": {NEW_YORK}}, {NEW_YORK}, HIDDEN, id="kept out"
        ),
        pytest.param({"excluded_segments": {NEW_YORK}}, set(), OPEN, id="not kept out"),
    ],
)
def test_a_segment_shows_or_hides_but_never_locks(fields, segment_ids, showing):
    offer = base(**{name: frozenset(value) for name, value in fields.items()})

    assert (
        showing_of(offer, frozenset(segment_ids), None, RULES, locks_by_tier=True)
        is showing
    )


def test_what_the_segment_hides_is_not_shown_as_locked_by_the_tier():
    offer = base(minimum_tier_threshold=1_000, segments=frozenset({NEW_YORK}))

    assert showing_of(offer, frozenset(), None, RULES, locks_by_tier=True) is HIDDEN
