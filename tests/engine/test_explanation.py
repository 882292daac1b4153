"""Sentences that tell people why an offer did not pay."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loyalty.engine import explanation
from loyalty.engine.decisions import Reason
from loyalty.engine.explanation import PLAIN, Voice, clipped, sentence

KOLKATA = Voice(zone=ZoneInfo("Asia/Kolkata"))
CENTS = Voice(decimals=2)
NAMED = Voice(offers={7: "Double points"}, tiers={500: "Gold"})
EVENING = "2026-03-02T18:30:00+00:00"  # midnight in Kolkata

SENTENCES = [
    (Reason.DISABLED, {}, PLAIN, "It was disabled."),
    (
        Reason.OTHER_BUSINESS_UNIT,
        {},
        PLAIN,
        "It belongs to another business unit.",
    ),
    (Reason.OTHER_CHANNEL, {}, PLAIN, "It does not apply to this channel."),
    (Reason.OTHER_ACTIVITY_TYPE, {}, PLAIN, "It is for other activity types."),
    (
        Reason.OUTSIDE_SCHEDULE,
        {},
        PLAIN,
        "It was not open on this weekday or at this time of day.",
    ),
    (
        Reason.NO_MATCHING_ITEM,
        {},
        PLAIN,
        "No line item is on its list of products.",
    ),
    (Reason.NOT_IN_SEGMENT, {}, PLAIN, "The member was in none of its segments."),
    (
        Reason.IN_EXCLUDED_SEGMENT,
        {},
        PLAIN,
        "The member was in a segment that it leaves out.",
    ),
    (
        Reason.TYPE_NOT_OPEN,
        {},
        PLAIN,
        "The activity type itself was not open to the member.",
    ),
    (Reason.MEMBER_UNKNOWN, {}, PLAIN, "The member was not known yet."),
    (
        Reason.QUEST_NOT_OPTED_IN,
        {},
        PLAIN,
        "The member did not take part in the quest then.",
    ),
    (
        Reason.QUEST_EXPIRED,
        {},
        PLAIN,
        "The member's time to complete the quest was over.",
    ),
    (
        Reason.NOTHING_TO_PAY,
        {},
        PLAIN,
        "Its rule gives no points for this activity.",
    ),
    (
        Reason.NOTHING_TO_PAY,
        {"by_rule": 1250},
        CENTS,
        "No points given by the caller; its rule alone gives 12.50.",
    ),
    (
        Reason.NOT_STARTED,
        {"starts_at": EVENING},
        KOLKATA,
        "It starts on 3 Mar 2026.",
    ),
    (
        Reason.ENDED,
        {"ends_at": datetime(2026, 3, 2, 18, 45, tzinfo=UTC)},
        PLAIN,
        "Its last day was 2 Mar 2026, 18:44.",
    ),
    (
        Reason.VALUE_TOO_LOW,
        {"minimum_units": 125_000},
        PLAIN,
        "The value is below its lowest of 12.50.",
    ),
    (
        Reason.VALUE_TOO_HIGH,
        {"maximum_units": 12_345_678},
        PLAIN,
        "The value is above its highest of 1,234.5678.",
    ),
    (
        Reason.TIER_TOO_LOW,
        {"minimum_threshold": 500},
        NAMED,
        "The member was below tier Gold (from 500).",
    ),
    (
        Reason.TIER_TOO_LOW,
        {"minimum_threshold": 500},
        PLAIN,
        "The member was below a score of 500.",
    ),
    (
        Reason.MORE_ATTEMPTS_NEEDED,
        {"required": 12, "completed": 5},
        PLAIN,
        "Every 12th completion pays; this was number 5.",
    ),
    (
        Reason.MORE_ATTEMPTS_NEEDED,
        {"required": 22, "completed": 5},
        PLAIN,
        "Every 22nd completion pays; this was number 5.",
    ),
    (
        Reason.CAP_REACHED,
        {"cap": 2, "used": 2, "from": EVENING, "until": "2026-03-03T18:30:00+00:00"},
        KOLKATA,
        "The cap was reached: 2 of 2 used on 3 Mar 2026.",
    ),
    (
        Reason.CAP_REACHED,
        {
            "cap": 1,
            "used": 1,
            "from": "0001-01-01T00:00:00+00:00",
            "until": "9999-12-31T00:00:00+00:00",
        },
        PLAIN,
        "The cap was reached: 1 of 1 used ever.",
    ),
    (
        Reason.CAP_REACHED,
        {"cap": 1, "used": 1},
        PLAIN,
        "The cap was reached: 1 of 1 used ever.",
    ),
    (
        Reason.EXCLUSIVE_GROUP,
        {"winner": 7},
        NAMED,
        "“Double points” paid, and the two do not stack.",
    ),
    (
        Reason.EXCLUSIVE_GROUP,
        {"winner": 7},
        PLAIN,
        "“offer 7” paid, and the two do not stack.",
    ),
    (
        Reason.POINTS_BUDGET_SPENT,
        {"points_budget": 1_000_000},
        CENTS,
        "Its budget of 10,000.00 points was given out.",
    ),
    (
        Reason.POINTS_BUDGET_SPENT,
        {"points_budget": 500, "left": 5},
        PLAIN,
        "Only 5 were left of its budget of 500, less than the award.",
    ),
    (
        Reason.AWARDS_BUDGET_SPENT,
        {"awards_budget": 1_000},
        PLAIN,
        "It had paid 1,000 times, as often as it may.",
    ),
    (
        Reason.QUEST_IN_PROGRESS,
        {
            "progress": [
                {
                    "requirement": 1,
                    "what": "",
                    "added": "0",
                    "value": "0.5",
                    "needed": None,
                }
            ]
        },
        PLAIN,
        "It counts, but the quest goes on. Requirement 1: 0.5.",
    ),
    (
        Reason.QUEST_COMPLETED,
        {"completions": 1},
        PLAIN,
        "The member completed the quest once, as often as is possible.",
    ),
    (
        Reason.QUEST_COMPLETED,
        {"completions": 3},
        PLAIN,
        "The member completed the quest 3 times, as often as is possible.",
    ),
    (Reason.NOT_A_BASKET, {}, PLAIN, "The activity has no line items."),
    (Reason.OTHER_CURRENCY, {}, PLAIN, "It is for other currencies."),
    (
        Reason.IS_RETURN,
        {},
        PLAIN,
        (
            "This is a return: its value is below zero, or nothing is left of its "
            "lines. Returns earn nothing and count for nothing."
        ),
    ),
    (
        Reason.IN_HOLDOUT,
        {"share": 1_000},
        PLAIN,
        "The member is held out of it, so that its effect can be measured.",
    ),
    (Reason.NO_METHOD_APPLIES, {}, PLAIN, "None of its reward methods applied."),
    (
        Reason.VOUCHER_CODES_SPENT,
        {},
        PLAIN,
        "No code was left on the list of its voucher.",
    ),
    (
        Reason.BASKET_WITHOUT_GROUP,
        {"required": 3, "found": 2},
        PLAIN,
        "The basket must hold 3 matching products; it held 2.",
    ),
    (
        Reason.BASKET_WITHOUT_GROUP,
        {"required": 1, "found": 0},
        PLAIN,
        "The basket must hold 1 matching product; it held 0.",
    ),
    (Reason.NOT_DRAWN, {"winner": 7}, NAMED, "“Double points” was drawn instead."),
    (Reason.NOT_DRAWN, {"winner": 7}, PLAIN, "“offer 7” was drawn instead."),
    (
        Reason.NOT_DRAWN,
        {},
        PLAIN,
        "It had no chance in the draw: its weight is 0.",
    ),
]


@pytest.mark.parametrize(
    ("reason", "operands", "voice", "told"),
    [pytest.param(*row, id=row[3][:50]) for row in SENTENCES],
)
def test_a_rejection_reads(reason, operands, voice, told):
    assert sentence(reason.value, operands, voice) == told


def test_every_reason_has_a_sentence_of_its_own():
    assert {row[0] for row in SENTENCES} == set(Reason)


def test_a_reason_of_a_later_version_is_told_as_it_is():
    assert sentence("phase_of_moon", {}) == "It did not pay: phase_of_moon."


def test_a_clip_without_a_budget_says_what_was_left():
    told = clipped({}, 2_000, 500, CENTS)

    assert told == "Its rule gives 20.00, but only 5.00 were left."


def test_a_clip_names_the_budget():
    told = clipped({"points_budget": 50_000}, 2_000, 500, CENTS)

    assert told == (
        "Its rule gives 20.00, but only 5.00 were left of the budget of 500.00."
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (113, "113th")],
)
def test_ordinals(count, text):
    assert explanation._ordinal(count) == text


PAID = [
    ({"points": 12, "rate": 1, "per": 10_000}, PLAIN, "1 for every 1.00 of 12.50."),
    (
        {"points": 625, "rate": 50, "per": 10_000, "asked": 700},
        CENTS,
        "0.50 for every 1.00 of 12.50.",
    ),
    (
        {"points": 14, "rate": 2, "per": 10_000, "of": 70_000},
        PLAIN,
        "2 for every 1.00 of the 7.00 spent on its products.",
    ),
    (
        {"points": 6, "times": 5_000},
        PLAIN,
        "1.5 × the points (0.5 × the base on top).",
    ),
    ({"points": 10}, PLAIN, "A fixed 10."),
    ({"points": 4, "asked": 10}, PLAIN, "A fixed 10."),
    ({"points": 6, "each": 2, "count": 3}, PLAIN, "2 for each of 3 matching products."),
    ({"points": 2, "each": 2, "count": 1}, PLAIN, "2 for 1 matching product."),
    ({"points": 0, "voucher": "SUMMER"}, PLAIN, "The voucher “SUMMER”."),
    ({"points": 0, "blank": True}, PLAIN, "A blank: the draw ended on no prize."),
]


@pytest.mark.parametrize(
    ("award", "voice", "told"), [pytest.param(*row, id=row[2]) for row in PAID]
)
def test_an_award_tells_how_it_was_computed(award, voice, told):
    assert explanation.paid(award, 125_000, voice) == told
