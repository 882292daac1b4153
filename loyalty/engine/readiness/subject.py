"""What a report on a campaign is made from, and the findings it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from loyalty.engine.ends import last_text
from loyalty.engine.facts import EVER, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from loyalty.engine.facts import Budget, Offer, Wallet
    from loyalty.engine.programme import Programme


class Severity(Enum):
    """How much a finding matters; the values are sent to clients."""

    STOP = "stops_you"
    LOOK = "look_at_this"
    KNOW = "for_your_information"


class Finding(NamedTuple):
    """One thing that was found, as a sentence; ``field`` is where to change it."""

    severity: Severity
    code: str
    text: str
    field: str = ""
    offer_id: int | None = None


class Report(NamedTuple):
    """What was found, the gravest first, and what the campaign may cost."""

    findings: tuple[Finding, ...]
    figures: tuple[Finding, ...]

    @property
    def stops(self) -> bool:
        """Return whether anything speaks against enabling the campaign."""
        return any(one.severity is Severity.STOP for one in self.findings)


@dataclass(frozen=True)
class Known:
    """What a report needs beside the compiled configuration.

    Names and counts are by number. ``sizes`` of segments count members now;
    ``within`` holds pairs of an included and an excluded segment that has all its
    members. ``can_pay`` counts members by wallet and price. ``costs`` are in money a
    point, by wallet; those not known are absent.
    """

    now: datetime
    member_count: int = 0
    audience: int = 0
    offers: Mapping[int, str] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)
    segment_sizes: Mapping[int, int] = field(default_factory=dict)
    within: frozenset[tuple[int, int]] = frozenset()
    lists: Mapping[int, str] = field(default_factory=dict)
    list_sizes: Mapping[int, int] = field(default_factory=dict)
    tiers: Mapping[int, str] = field(default_factory=dict)
    tier_holders: int | None = None
    wallets: Mapping[int, str] = field(default_factory=dict)
    can_pay: Mapping[tuple[int, int], int] = field(default_factory=dict)
    costs: Mapping[int, Decimal] = field(default_factory=dict)
    vouchers: Mapping[int, str] = field(default_factory=dict)
    codes_left: Mapping[int, int] = field(default_factory=dict)
    budgets: Mapping[int, Budget] = field(default_factory=dict)
    is_enabled: bool = False


@dataclass(frozen=True)
class Subject:
    """The campaign that is reported on, as if it were enabled, and all around it."""

    campaign: Offer
    programme: Programme
    known: Known

    @property
    def gives(self) -> tuple[Offer, ...]:
        """Return what can give something: its enabled methods, or the campaign."""
        if self.campaign.has_methods:
            return tuple(one for one in self.campaign.methods if one.is_enabled)
        return (self.campaign,)

    @property
    def by_activities(self) -> bool:
        """Return whether activities set it off."""
        return self.campaign.context in {"activity", "basket"}

    def name(self, offer: Offer) -> str:
        """Return how an offer is called, in quotes."""
        return f"“{self.known.offers.get(offer.id, f'offer {offer.id}')}”"

    def whom(self, offer: Offer) -> str:
        """Return how a sentence begins that is about the campaign or a method."""
        return "It" if offer is self.campaign else f"The reward {self.name(offer)}"

    def types(self) -> list[Offer]:
        """Return the types of activities that can set it off."""
        every = [rule.offer for rule in self.programme.types.values()]
        wanted = self.campaign.activity_type_ids
        return [one for one in every if not wanted or one.id in wanted]

    def day(self, moment: datetime) -> str:
        """Return a moment on the program's clock; its time unless it is midnight."""
        local = moment.astimezone(self.programme.rules.clock.zone)
        text = f"{local.day} {local:%b %Y}"
        return (
            text if (local.hour, local.minute) == (0, 0) else f"{text}, {local:%H:%M}"
        )

    def last_day(self, ends_at: datetime) -> str:
        """Return the last day, or minute, before an exclusive end."""
        return last_text(ends_at, self.programme.rules.clock.zone)

    def points(self, amount: int, wallet: Wallet) -> str:
        """Return an amount with the name of its wallet."""
        scaled = Decimal(amount).scaleb(-wallet.decimals)
        name = self.known.wallets.get(wallet.id, wallet.code)
        return f"{scaled:,.{wallet.decimals}f} {name}"


def money(units: int) -> str:
    """Return a value with two decimals, four where it has them.

    >>> money(125_000), money(12_345)
    ('12.50', '1.2345')
    """
    return f"{Decimal(units).scaleb(-4):,.4f}".removesuffix("00")


def listed(names: Iterable[str], word: str = "and") -> str:
    """Return names as a phrase; of many the first three.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    names = list(names)
    if len(names) > 4:
        return f"{', '.join(names[:3])} {word} {len(names) - 3} more"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} {word} {names[-1]}"
    return "".join(names)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "member"), counted(2_000, "member")
    ('1 member', '2,000 members')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def meet(one: Offer, other: Offer) -> bool:
    """Return whether the dates of two offers overlap."""
    return max(one.starts_at, other.starts_at) < min(one.ends_at, other.ends_at)


def has_both_dates(offer: Offer) -> bool:
    """Return whether it has a start and an end."""
    return offer.starts_at > EVER and offer.ends_at < NEVER
