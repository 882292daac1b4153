"""A sound campaign and all around it; each test breaks one thing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from loyalty.engine.facts import (
    Clock,
    RewardKind,
    Rules,
    Wallet,
)
from loyalty.engine.programme import NamedChannel, NamedUnit, Programme, TypeRule
from loyalty.engine.readiness import Known, Severity, report_on
from tests.engine.offers import base, composed, method, offer

STOP, LOOK, KNOW = Severity.STOP, Severity.LOOK, Severity.KNOW
BERLIN = ZoneInfo("Europe/Berlin")
CENTS = Wallet(id=2, code="cash", decimals=2)


def local(year, month, day, hour=0, minute=0, second=0) -> datetime:
    at = datetime(year, month, day, hour, minute, second, tzinfo=BERLIN)
    return at.astimezone(UTC)


# Monday, 4 May 2026, to the end of Sunday, 17 May; looked at on 1 May.
NOW = local(2026, 5, 1, 9)
SOUND = {
    "id": 9,
    "starts_at": local(2026, 5, 4),
    "ends_at": local(2026, 5, 18),
    "activity_type_ids": frozenset({1}),
    "points_budget": 1_000,
}
KNOWN = {
    "now": NOW,
    "member_count": 500,
    "audience": 500,
    "offers": {
        1: "Purchase",
        2: "Visit",
        7: "Ten points",
        8: "Mug",
        9: "May",
        20: "Spring",
        21: "Easter",
    },
    "segments": {4: "Friends", 5: "Staff"},
    "segment_sizes": {4: 100, 5: 20},
    "lists": {3: "Tea"},
    "list_sizes": {3: 12},
    "tiers": {900: "Gold"},
    "wallets": {1: "points", 2: "cashback"},
    "vouchers": {6: "Free mug"},
}
TYPES = [base(id=1), base(id=2, reward=RewardKind.NOTHING, points=0)]
UNITS = [
    NamedUnit(3, "north", "North", is_enabled=True),
    NamedUnit(4, "south", "South", is_enabled=False),
]
CHANNELS = [
    NamedChannel(1, "APP", is_enabled=True),
    NamedChannel(2, "FAX", is_enabled=False),
]


def report(campaign, *others, types=TYPES, **known):
    programme = Programme(
        1,
        1,
        Rules(Clock(BERLIN)),
        {
            f"{one.id}": TypeRule(one, f"{one.id}", allows_negative_value=False)
            for one in types
        },
        (campaign, *others),
        units={one.code: one for one in UNITS},
        channels={one.code: one for one in CHANNELS},
    )
    return report_on(campaign, programme, Known(**{**KNOWN, **known}))


def sound(**fields):
    return offer(**{**SOUND, **fields})


def rewarding(*methods, **fields):
    return composed(*methods, **{**SOUND, **fields})


def voucher(**fields):
    return method(
        reward=RewardKind.VOUCHER,
        voucher_type_id=6,
        takes_codes=True,
        points=0,
        **fields,
    )


def dated(start, end):
    return {"starts_at": local(*start), "ends_at": local(*end)}


def spring(**fields):
    return offer(**{**SOUND, "id": 20, **fields})


def easter(**fields):
    return offer(**{**SOUND, "id": 21, **fields})
