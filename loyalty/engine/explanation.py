"""Why an offer did not pay, as a sentence with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from loyalty.engine.decisions import Reason
from loyalty.engine.ends import last_text
from loyalty.engine.points import times_in_words

_FIRST_YEAR = 1
_LAST_YEAR = 9999


@dataclass(frozen=True)
class Voice:
    """How a sentence names things: zone of moments, decimals of points, names.

    ``offers`` and ``tiers`` are names by offer number and by tier threshold, as
    ``tiers.score_told`` tells it.
    """

    zone: tzinfo = UTC
    decimals: int = 0
    offers: Mapping[int, str] = field(default_factory=dict)
    tiers: Mapping[int | str, str] = field(default_factory=dict)


PLAIN = Voice()


def sentence(
    reason_code: str, operands: Mapping[str, Any], voice: Voice = PLAIN
) -> str:
    """Return why an offer did not pay, for people.

    Args:
        reason_code: a value of ``Reason``; another one is told as it is.
        operands: the numbers that decided it; moments as datetimes or ISO text.
        voice: how to name things.

    >>> sentence("cap_reached", {"cap": 1, "used": 1,
    ...     "from": "2026-03-02T00:00:00+00:00", "until": "2026-03-09T00:00:00+00:00"})
    'The cap was reached: 1 of 1 used from 2 Mar 2026 to 8 Mar 2026.'
    >>> sentence("more_attempts_needed", {"required": 3, "completed": 2})
    'Every 3rd completion pays; this was number 2.'
    """
    try:
        reason = Reason(reason_code)
    except ValueError:
        return f"It did not pay: {reason_code}."
    told = _PLAIN_SENTENCES.get(reason)
    if told is not None:
        return told
    return _SENTENCES[reason](operands, voice)


def clipped(operands: Mapping[str, Any], asked: int, paid: int, voice: Voice) -> str:
    """Return why an award is smaller than its rule says.

    >>> clipped({"points_budget": 500}, 20, 5, PLAIN)
    'Its rule gives 20, but only 5 were left of the budget of 500.'
    """
    budget = operands.get("points_budget")
    of_budget = f" of the budget of {_points(budget, voice)}" if budget else ""
    return (
        f"Its rule gives {_points(asked, voice)}, but only {_points(paid, voice)} "
        f"were left{of_budget}."
    )


def paid(award: Mapping[str, Any], value_units: int, voice: Voice) -> str:
    """Return how an award was computed.

    Args:
        award: its part of the decision record.
        value_units: the activity's value in 1/10,000.
        voice: how to name things.

    >>> paid({"points": 12, "rate": 1, "per": 10000}, 125000, PLAIN)
    '1 for every 1.00 of 12.50.'
    >>> paid({"points": 14, "rate": 2, "per": 10000, "of": 70000}, 125000, PLAIN)
    '2 for every 1.00 of the 7.00 spent on its products.'
    >>> paid({"points": 6, "times": 5000}, 125000, PLAIN)
    '1.5 × the points (0.5 × the base on top).'
    >>> paid({"points": 10}, 125000, PLAIN)
    'A fixed 10.'
    >>> paid({"points": 6, "each": 2, "count": 3}, 125000, PLAIN)
    '2 for each of 3 matching products.'
    """
    if "rate" in award:
        rate, per = _points(award["rate"], voice), _value(award["per"])
        if "of" in award:
            of_what = f"the {_value(award['of'])} spent on its products"
        else:
            of_what = _value(value_units)
        return f"{rate} for every {per} of {of_what}."
    if "voucher" in award:
        return f"The voucher “{award['voucher']}”."
    if "each" in award:
        each, count = _points(award["each"], voice), award["count"]
        whom = (
            "1 matching product"
            if count == 1
            else f"each of {count:,} matching products"
        )
        return f"{each} for {whom}."
    if award.get("blank"):
        if award.get("kind") == "campaign":
            return "Nothing but that it was done."
        return "A blank: the draw ended on no prize."
    if "times" in award:
        text = times_in_words(award["times"])
        return f"{text[0].upper()}{text[1:]}."
    return f"A fixed {_points(award.get('asked', award['points']), voice)}."


def given(operands: Mapping[str, Any], voice: Voice) -> str:
    """Return that the caller said how much the activity is worth.

    >>> given({"by_rule": 100}, PLAIN)
    'Points given by the caller; its rule alone gives 100.'
    """
    return (
        "Points given by the caller; its rule alone gives "
        f"{_points(operands['by_rule'], voice)}."
    )


_PLAIN_SENTENCES = {
    Reason.DISABLED: "It was disabled.",
    Reason.OTHER_BUSINESS_UNIT: "It belongs to another business unit.",
    Reason.OTHER_CHANNEL: "It does not apply to this channel.",
    Reason.OTHER_ACTIVITY_TYPE: "It is for other activity types.",
    Reason.OUTSIDE_SCHEDULE: "It was not open on this weekday or at this time of day.",
    Reason.NO_MATCHING_ITEM: "No line item is on its list of products.",
    Reason.NOT_A_BASKET: "The activity has no line items.",
    Reason.OTHER_CURRENCY: "It is for other currencies.",
    Reason.NO_METHOD_APPLIES: "None of its reward methods applied.",
    Reason.VOUCHER_CODES_SPENT: "No code was left on the list of its voucher.",
    Reason.NOT_IN_SEGMENT: "The member was in none of its segments.",
    Reason.IN_EXCLUDED_SEGMENT: "The member was in a segment that it leaves out.",
    Reason.IN_HOLDOUT: "The member is held out of it, so that its effect can be "
    "measured.",
    Reason.TYPE_NOT_OPEN: "The activity type itself was not open to the member.",
    Reason.MEMBER_UNKNOWN: "The member was not known yet.",
    Reason.IS_RETURN: "This is a return: its value is below zero, or nothing is left "
    "of its lines. Returns earn nothing and count for nothing.",
    Reason.QUEST_NOT_OPTED_IN: "The member did not take part in the quest then.",
    Reason.QUEST_EXPIRED: "The member's time to complete the quest was over.",
}


def _nothing_to_pay(operands: Mapping[str, Any], voice: Voice) -> str:
    if "by_rule" in operands:
        return given(operands, voice).replace("Points", "No points", 1)
    return "Its rule gives no points for this activity."


def _not_started(operands: Mapping[str, Any], voice: Voice) -> str:
    return f"It starts on {_moment(operands['starts_at'], voice)}."


def _ended(operands: Mapping[str, Any], voice: Voice) -> str:
    return f"Its last day was {_last(operands['ends_at'], voice)}."


def _value_too_low(operands: Mapping[str, Any], _: Voice) -> str:
    return f"The value is below its lowest of {_value(operands['minimum_units'])}."


def _value_too_high(operands: Mapping[str, Any], _: Voice) -> str:
    return f"The value is above its highest of {_value(operands['maximum_units'])}."


def _tier_too_low(operands: Mapping[str, Any], voice: Voice) -> str:
    threshold = operands["minimum_threshold"]
    name = voice.tiers.get(threshold)
    score = f"{Decimal(threshold):,f}"
    tier = f"tier {name} (from {score})" if name else f"a score of {score}"
    return f"The member was below {tier}."


def _more_attempts(operands: Mapping[str, Any], _: Voice) -> str:
    required, completed = operands["required"], operands["completed"]
    return f"Every {_ordinal(required)} completion pays; this was number {completed}."


def _cap_reached(operands: Mapping[str, Any], voice: Voice) -> str:
    window = _window(operands.get("from"), operands.get("until"), voice)
    return f"The cap was reached: {operands['used']} of {operands['cap']} used{window}."


def _exclusive_group(operands: Mapping[str, Any], voice: Voice) -> str:
    winner = operands["winner"]
    name = voice.offers.get(winner, f"offer {winner}")
    return f"“{name}” paid, and the two do not stack."


def _basket_without_group(operands: Mapping[str, Any], _: Voice) -> str:
    required, found = operands["required"], operands["found"]
    noun = "product" if required == 1 else "products"
    return f"The basket must hold {required} matching {noun}; it held {found}."


def _not_drawn(operands: Mapping[str, Any], voice: Voice) -> str:
    winner = operands.get("winner")
    if winner is None:
        return "It had no chance in the draw: its weight is 0."
    name = voice.offers.get(winner, f"offer {winner}")
    return f"“{name}” was drawn instead."


def _points_budget_spent(operands: Mapping[str, Any], voice: Voice) -> str:
    budget, left = operands["points_budget"], operands.get("left", 0)
    if left:
        return (
            f"Only {_points(left, voice)} were left of its budget of "
            f"{_points(budget, voice)}, less than the award."
        )
    return f"Its budget of {_points(budget, voice)} points was given out."


def _awards_budget_spent(operands: Mapping[str, Any], _: Voice) -> str:
    return f"It had paid {operands['awards_budget']:,} times, as often as it may."


def progress(operands: Mapping[str, Any]) -> str:
    """Return how far a quest is, requirement by requirement.

    >>> progress({"progress": [{"requirement": 1, "what": "Three visits",
    ...     "added": "1", "value": "2", "needed": "3"}]})
    'Three visits: 2 of 3 (1 more).'
    """
    return "; ".join(_step(one) for one in operands.get("progress", ())) + "."


def _step(one: Mapping[str, Any]) -> str:
    needed = one["needed"]
    of_needed = "" if needed is None else f" of {needed}"
    added = f" ({one['added']} more)" if one["added"] != "0" else ""
    what = one["what"] or f"Requirement {one['requirement']}"
    return f"{what}: {one['value']}{of_needed}{added}"


def _quest_in_progress(operands: Mapping[str, Any], _: Voice) -> str:
    return f"It counts, but the quest goes on. {progress(operands)}"


def _quest_completed(operands: Mapping[str, Any], _: Voice) -> str:
    times = operands["completions"]
    often = "once" if times == 1 else f"{times:,} times"
    return f"The member completed the quest {often}, as often as is possible."


_SENTENCES: dict[Reason, Callable[[Mapping[str, Any], Voice], str]] = {
    Reason.NOTHING_TO_PAY: _nothing_to_pay,
    Reason.NOT_STARTED: _not_started,
    Reason.ENDED: _ended,
    Reason.VALUE_TOO_LOW: _value_too_low,
    Reason.VALUE_TOO_HIGH: _value_too_high,
    Reason.TIER_TOO_LOW: _tier_too_low,
    Reason.MORE_ATTEMPTS_NEEDED: _more_attempts,
    Reason.CAP_REACHED: _cap_reached,
    Reason.BASKET_WITHOUT_GROUP: _basket_without_group,
    Reason.NOT_DRAWN: _not_drawn,
    Reason.EXCLUSIVE_GROUP: _exclusive_group,
    Reason.POINTS_BUDGET_SPENT: _points_budget_spent,
    Reason.AWARDS_BUDGET_SPENT: _awards_budget_spent,
    Reason.QUEST_IN_PROGRESS: _quest_in_progress,
    Reason.QUEST_COMPLETED: _quest_completed,
}


def _window(start: Any, end: Any, voice: Voice) -> str:
    """Return a window's first and last day; those at the end of time are left out."""
    first, last = _parsed(start), _parsed(end)
    if first and last and last.year < _LAST_YEAR:
        only = _last(last, voice)
        if only == _moment(first, voice):
            return f" on {only}"
    text = ""
    if first is not None and first.year > _FIRST_YEAR:
        text += f" from {_moment(first, voice)}"
    if last is not None and last.year < _LAST_YEAR:
        text += f" to {_last(last, voice)}"
    return text or " ever"


def _parsed(moment: Any) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime.fromisoformat(str(moment))


def _moment(moment: Any, voice: Voice) -> str:
    parsed = _parsed(moment)
    if parsed is None:
        return "?"
    local = parsed.astimezone(voice.zone)
    day = f"{local.day} {local:%b %Y}"
    return day if (local.hour, local.minute) == (0, 0) else f"{day}, {local:%H:%M}"


def _last(ends_at: Any, voice: Voice) -> str:
    """Return an exclusive end as the last day that counts."""
    parsed = _parsed(ends_at)
    return "?" if parsed is None else last_text(parsed, voice.zone)


def _value(units: int) -> str:
    text = f"{Decimal(units).scaleb(-4):,.4f}"
    return text.removesuffix("00")


def _points(amount: Any, voice: Voice) -> str:
    return f"{Decimal(amount).scaleb(-voice.decimals):,.{voice.decimals}f}"


def _ordinal(count: int) -> str:
    if count % 100 in (11, 12, 13):
        return f"{count}th"
    return f"{count}" + {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
