"""What was measured, in sentences that need no statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.services.effect.comparing import Certainty

if TYPE_CHECKING:
    from activities.services.effect.comparing import Comparison
    from activities.services.effect.measuring import Effect, Measure

# Below it the t-test leans on values that are far from a bell.
_MEMBERS_MIN = 30


def verdict(effect: Effect) -> list[str]:
    """Return what to tell people: first the answer, then what to be careful about."""
    counts = (effect.treated_count, effect.held_out_count)
    if min(counts) < 2:
        return [_too_few(*counts)]
    told = [sentence(one) for one in effect.measures]
    if min(counts) < _MEMBERS_MIN:
        told.append(
            f"One group has {min(counts):,} members only: take the intervals with care."
        )
    return told


def sentence(measure: Measure) -> str:
    """Return one measure's result."""
    found = measure.comparison
    if found.certainty is Certainty.TOO_FEW_MEMBERS:
        return _too_few(measure.treated.size, measure.held_out.size)
    if found.low is None or found.high is None:
        return _without_variation(measure)
    if not found.is_significant:
        return (
            f"No measurable difference in {_named(measure)}: per member between "
            f"{_signed(found.low)} and {_signed(found.high)}."
        )
    low, high = sorted((abs(found.low), abs(found.high)))
    amount = f"{said(abs(found.difference))} ({said(low)} to {said(high)})"
    did = _did(measure, amount, "more" if found.difference > 0 else "less")
    return f"Members who could take part {did} each.{_part(found)}"


def said(value: float) -> str:
    """Return a number with two decimals, or with two digits if it is small.

    >>> said(1234.5), said(0.0123), said(0)
    ('1,234.50', '0.012', '0.00')
    """
    return f"{value:,.2f}" if abs(value) >= 0.1 or not value else f"{value:.2g}"


def _did(measure: Measure, amount: str, more: str) -> str:
    if measure.name == "visits":
        return f"made {amount} {'fewer' if more == 'less' else more} visits"
    if measure.name == "value":
        return f"were worth {amount} {more}"
    return f"got {amount} {more} {measure.wallet}"


def _named(measure: Measure) -> str:
    return measure.name if measure.wallet is None else str(measure.wallet)


def _part(found: Comparison) -> str:
    if found.relative is None:
        return ""
    sign = "+" if found.relative > 0 else "−"
    return f" That is {sign}{abs(found.relative) * 100:.1f} %."


def _without_variation(measure: Measure) -> str:
    difference = measure.comparison.difference
    if not difference:
        return f"No difference in {_named(measure)}: every member has the same."
    return (
        f"Within each group every member has the same {_named(measure)}, "
        f"{said(measure.treated.mean)} against {said(measure.held_out.mean)}: an "
        "interval cannot be given."
    )


def _too_few(treated: int, held_out: int) -> str:
    return (
        f"Too few members to compare: {treated:,} could take part and {held_out:,} "
        "were held out. Each group needs two at least, and some hundreds to tell much."
    )


def _signed(value: float) -> str:
    return f"{said(abs(value))} {'more' if value >= 0 else 'less'}"
