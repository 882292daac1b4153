"""Interactions: throughput on one hot campaign, against pgbench.

A draw between points of a large stock and a blank, at a price from a wallet. The
reference is a script by hand that writes the same rows in one transaction and counts
the stock in one row, as one would do it without slots. Both take turns on copies of one
database; the median of the rounds counts.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import database, handwritten
from benchmarks.measures import Measure, at_least, say
from benchmarks.players import Turn, players

if TYPE_CHECKING:
    from benchmarks.players import Players
    from campaigns.models import Campaign

CLIENTS = (1, 8)
AIMED_AT = 8
RATIO_AIM = 0.25
_PLENTY = 10**9


class Size(NamedTuple):
    """How much is measured."""

    members_each: int
    seconds: int
    rounds: int


FULL = Size(200, 4, 5)
TINY = Size(4, 1, 1)


class Round(NamedTuple):
    """Interactions per second of both, one right after the other."""

    played: float
    by_hand: float

    @property
    def ratio(self) -> float:
        """Return the part of the reference that is reached."""
        return self.played / self.by_hand


def run(size: Size) -> list[Measure]:
    """Measure interactions per second at several numbers of clients."""
    campaign, first_member = _build(size.members_each * max(CLIENTS))
    path = Path(os.environ["DATA_FOLDER"]) / "interaction.sql"
    path.write_text(_script(campaign, first_member, size.members_each * max(CLIENTS)))
    database.settle()
    found: dict[int, list[Round]] = {count: [] for count in CLIENTS}
    with database.copied("pgbench") as address, players(max(CLIENTS)) as crowd:
        for _ in range(size.rounds):
            for count in CLIENTS:
                played = _play(crowd, campaign, first_member, count, size)
                by_hand = handwritten.rate(address, path, count, size.seconds)
                found[count].append(Round(played, by_hand))
                say(
                    f"interactions: {count} clients: {played:,.0f}/s,"
                    f" pgbench {by_hand:,.0f}/s"
                )
    return [_measure(count, found[count]) for count in CLIENTS]


def _build(member_count: int) -> tuple[Campaign, int]:
    """Return the campaign and the first of members that can pay for long."""
    from benchmarks.programmes import build_program
    from campaigns.models import Campaign, RewardMethod
    from loyalty import ledger
    from loyalty.models import Member, Wallet

    program = build_program("play", 10, member_count)
    wallet = Wallet.objects.get(program=program)
    paid_from = Wallet.objects.create(program=program, code="credits", name="Credits")
    campaign = Campaign.objects.create(
        program=program,
        wallet=wallet,
        name="Scratch card",
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        point_cost=1,
        point_cost_wallet=paid_from,
    )
    shared = {"parent": campaign, "wallet": wallet}
    RewardMethod.objects.create(
        **shared, name="Points", reward_method="fixed", points=5, usage_limit=_PLENTY
    )
    RewardMethod.objects.create(**shared, name="Blank", reward_method="nothing")
    members = list(Member.objects.filter(program=program).order_by("pk"))
    for member in members:
        now = datetime.now(tz=UTC)
        ledger.adjust(member, paid_from.pk, 10**6, at=now, reason="start")
    return campaign, members[0].pk


def _play(
    crowd: Players, campaign: Campaign, first_member: int, count: int, size: Size
) -> float:
    each = size.members_each
    return crowd.rate(
        [
            Turn(
                campaign.program_id,
                campaign.pk,
                first_member + place * each,
                each,
                size.seconds,
            )
            for place in range(count)
        ]
    )


def _script(campaign: Campaign, first_member: int, member_count: int) -> str:
    """Return one interaction by hand, after one that shows the decision record."""
    import json

    from activities.models import Interaction
    from activities.services.interacting import interact
    from activities.services.interactions import Interact
    from loyalty.models import Account

    command = Interact(campaign.pk, first_member, "benchmark")
    while True:
        done = interact(campaign.program_id, command, now=datetime.now(tz=UTC))
        if done.rewards[0].kind == "points":
            break
    row = Interaction.objects.get(campaign=campaign, pk=done.interaction_id or 0)
    points, blank = campaign.methods.order_by("pk")
    program_wallets = {
        (one.wallet_id, one.kind): one.pk
        for one in Account.objects.filter(
            program=campaign.program_id, member=None, business_unit=None
        )
    }
    return _TEMPLATE.format(
        program=campaign.program_id,
        campaign=campaign.pk,
        points=points.pk,
        candidates=json.dumps([[points.pk, 1], [blank.pk, 1]]),
        decision=json.dumps(row.decision).replace("'", "''"),
        paid_from=campaign.point_cost_wallet_id,
        wallet=campaign.wallet_id,
        redeemed=program_wallets[campaign.point_cost_wallet_id, "redeemed"],
        issued=program_wallets[campaign.wallet_id, "issued"],
        first=first_member,
        last=first_member + member_count - 1,
    )


# Every second one wins, as the weights have it.
_TEMPLATE = """
\\set member random({first}, {last})
\\set wins random(0, 1)
BEGIN;
SELECT configuration_revision FROM loyalty_program WHERE id = {program};
SELECT is_blocked FROM loyalty_member WHERE id = :member FOR NO KEY UPDATE;
SELECT id AS paying FROM loyalty_account
  WHERE member_id = :member AND wallet_id = {paid_from} \\gset
SELECT id AS paid FROM loyalty_account
  WHERE member_id = :member AND wallet_id = {wallet} \\gset
SELECT entry_id AS lot FROM loyalty_lot
  WHERE account_id = :paying AND remaining > 0 LIMIT 1 \\gset
INSERT INTO activities_interaction (id, program_id, campaign_id, member_id, source,
  key, mode, actor, occurred_at, decision)
  VALUES (nextval('activities_activity_id_seq'), {program}, {campaign}, :member,
  'benchmark', '', '', '', now(), '{decision}') RETURNING id AS act \\gset
INSERT INTO loyalty_entry (program_id, kind, debit_account_id, credit_account_id,
  amount, bucket, offer_id, activity_id, occurred_at, created_at, reason)
  VALUES ({program}, 'spend', :paying, {redeemed}, 1, 'base', {campaign}, :act, now(),
  now(), '') RETURNING id AS spent \\gset
INSERT INTO loyalty_lotconsumption (lot_id, entry_id, amount)
  VALUES (:lot, :spent, 1);
UPDATE loyalty_lot SET remaining = remaining - 1 WHERE entry_id = :lot;
UPDATE loyalty_account SET balance = balance - 1 WHERE id = :paying;
\\if :wins
INSERT INTO loyalty_entry (program_id, kind, debit_account_id, credit_account_id,
  amount, bucket, offer_id, activity_id, occurred_at, created_at, reason)
  VALUES ({program}, 'award', {issued}, :paid, 5, 'bonus', {points}, :act, now(),
  now(), '') RETURNING id AS won \\gset
INSERT INTO loyalty_lot (entry_id, account_id, amount, remaining, earned_at,
  available_at, is_pending) VALUES (:won, :paid, 5, 5, now(), now(), false);
UPDATE loyalty_account SET balance = balance + 5,
  lifetime_earned = lifetime_earned + 5 WHERE id = :paid;
\\endif
INSERT INTO loyalty_completion (member_id, offer_id, occurred_at, is_paid, activity_id)
  VALUES (:member, {campaign}, now(), true, :act),
  (:member, {points}, now(), true, :act);
INSERT INTO activities_draw (program_id, campaign_id, member_id, activity_id, seed,
  candidates, ticket, winner_id, occurred_at, created_at)
  VALUES ({program}, {campaign}, :member, :act, md5(random()::text), '{candidates}',
  0, {points}, now(), now());
UPDATE campaigns_campaignusage SET awards_paid = awards_paid + 1,
  points_paid = points_paid + 5 WHERE campaign_id = {points} AND slot = 0;
COMMIT;
"""


def _measure(count: int, rounds: list[Round]) -> Measure:
    middle = sorted(rounds, key=lambda one: one.ratio)[len(rounds) // 2]
    name = f"interactions: {count} on one campaign, against pgbench"
    rate = at_least(name, middle.played, middle.by_hand, RATIO_AIM, "/s")
    if count != AIMED_AT:
        rate = Measure(name, rate.value, rate.reference, rate.ratio)
    return rate
