"""Limits: what a hot campaign with a budget costs those who record at the same time.

Writers record on members of their own, all into one database: for campaigns without
budgets, for one campaign whose budgets are far from spent, and half of them for that
one and half for others. With and without take turns; of the ratios the median counts.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmarks import database
from benchmarks.measures import Measure, at_least, say
from benchmarks.writers import Turn, Writers, writers

# The budgets cost three short statements of twenty, however many write.
HOT_AIM = 0.8
OTHERS_AIM = 0.9
# So that writers wait for the database and not for the processors of this machine.
DELAY_SECONDS = 0.005
_PLENTY = 10**12


class Size(NamedTuple):
    """How much is measured."""

    writers: int
    members_each: int
    batch: int
    seconds: float
    rounds: int


FULL = Size(8, 4_000, 500, 2, 9)
TINY = Size(2, 20, 10, 0.2, 1)


class Way(NamedTuple):
    """One way to record: how many write, how much at once, over which distance.

    ``has_aim`` unless the processors of this machine are the limit.
    """

    name: str
    writers: int
    batch: int
    delay_seconds: float
    has_aim: bool = True


class Round(NamedTuple):
    """Activities per second with the budgets and without, one right after the other."""

    hot: float
    free: float

    @property
    def ratio(self) -> float:
        """Return how much of the speed is left."""
        return self.hot / self.free


def run(size: Size) -> list[Measure]:
    """Measure what the hot campaign costs its own writers and the others."""
    for code in ("free", "hot"):
        _build(code, size)
    _limit("hot")
    ways = (
        Way(f"{size.writers} live writers", size.writers, 1, 0, has_aim=False),
        Way(
            f"{size.writers} live writers with 5 ms a statement",
            size.writers,
            1,
            DELAY_SECONDS,
        ),
        Way("2 writers of chunks", 2, size.batch, 0),
    )
    database.settle()
    with writers(size.writers) as crowd:
        found = {way: _compare(crowd, way, size) for way in ways}
    return [row for way in ways for row in _measures(way, found[way])]


def _build(code: str, size: Size) -> None:
    from benchmarks.programmes import add_type, build_program
    from campaigns.models import Campaign
    from loyalty.models import Wallet

    program = build_program(code, 10, size.members_each * size.writers)
    wallet = Wallet.objects.get(program=program)
    visit = add_type(program, wallet, "VISIT")
    for place in range(3):
        campaign = Campaign.objects.create(
            program=program,
            wallet=wallet,
            name=f"For visits {place}",
            reward_method="fixed",
            points=5,
        )
        campaign.activity_types.set([visit])


def _limit(code: str) -> None:
    """Give the first campaign of a program budgets that nobody can spend."""
    from campaigns.models import Campaign

    campaign = Campaign.objects.filter(program__code=code, name="Applicable 4").get()
    campaign.points_budget = _PLENTY
    campaign.awards_budget = _PLENTY
    campaign.save()


def _compare(crowd: Writers, way: Way, size: Size) -> dict[str, list[Round]]:
    """Return the rounds of those on the campaign alone, and of those beside them."""
    found: dict[str, list[Round]] = {"on": [], "beside": []}
    for _ in range(size.rounds):
        for name, types in (("on", ["PURCHASE"]), ("beside", ["PURCHASE", "VISIT"])):
            rates = {}
            for code in ("free", "hot"):
                turns = _turns(code, types, way, size)
                rates[code] = sum(
                    rate
                    for turn, rate in zip(turns, crowd.rates(turns), strict=True)
                    if turn.activity_type == types[-1]
                )
            found[name].append(Round(rates["hot"], rates["free"]))
    for name, rounds in found.items():
        ratios = ", ".join(f"{one.ratio:.2f}" for one in rounds)
        say(f"limits: {way.name}, {name} it: {ratios}")
    return found


def _turns(code: str, types: list[str], way: Way, size: Size) -> list[Turn]:
    return [
        Turn(
            code,
            types[place % len(types)],
            1 + place * size.members_each,
            size.members_each,
            way.batch,
            size.seconds,
            way.delay_seconds,
        )
        for place in range(way.writers)
    ]


def _measures(way: Way, found: dict[str, list[Round]]) -> list[Measure]:
    on, beside = (
        sorted(found[name], key=lambda one: one.ratio)[len(found[name]) // 2]
        for name in ("on", "beside")
    )
    cost = at_least(
        f"limits: {way.name} on one campaign with budgets, against none",
        on.hot,
        on.free,
        HOT_AIM,
        "/s",
    )
    if not way.has_aim:
        cost = Measure(cost.name, cost.value, cost.reference, cost.ratio)
    return [
        cost,
        at_least(
            f"limits: {way.name}, the half that never meets it, against none",
            beside.hot,
            beside.free,
            OTHERS_AIM,
            "/s",
        ),
    ]
