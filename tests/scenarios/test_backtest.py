"""The law of backtests: today's configuration over a past period is the ledger."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from activities.models import Activity, Backtest, BacktestStatus
from activities.services import reverse_activities
from activities.services.backtesting import (
    NewBacktest,
    Span,
    create_backtest,
    replayed,
    run_backtest,
    trial_programme,
)
from activities.services.backtesting.reading import Members
from activities.services.backtesting.tallying import Tally
from campaigns.models import Campaign
from loyalty.models import Program

pytestmark = pytest.mark.django_db

JANUARY = Span(datetime(2017, 1, 1, 7, tzinfo=UTC), datetime(2017, 2, 1, 7, tzinfo=UTC))
EVERYBODY = Members(0, 2**63 - 1)


class Journal(Tally):
    """A tally that keeps every offer, member and day apart."""

    def __init__(self, clock):
        super().__init__(frozenset(), clock)
        self.points: Counter[Any] = Counter()

    def book(self, member_id, day, award, sign):
        super().book(member_id, day, award, sign)
        self.points[award.offer.id, member_id, day] += sign * award.points


def ledger_of(program) -> Counter:
    """Return what stands in the ledger: points by offer, member and local day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.offer_id, a.member_id, (e.occurred_at AT TIME ZONE %s)::date,"
            " sum(e.amount) FROM loyalty_entry e"
            " JOIN loyalty_account a ON a.id = e.credit_account_id"
            " WHERE e.kind = 'award' AND NOT EXISTS"
            " (SELECT FROM loyalty_entry r WHERE r.reverses_id = e.id)"
            " GROUP BY 1, 2, 3",
            [program.time_zone],
        )
        return Counter({row[:3]: int(row[3]) for row in cursor.fetchall()})


def replayed_of(program, span=JANUARY) -> Counter:
    programme = trial_programme(program.pk, ())
    journal = Journal(programme.rules.clock)
    replayed(programme, span, EVERYBODY, journal)
    return +journal.points


def test_a_month_of_the_demo_replayed_is_its_ledger():
    call_command("load_demo", "--first-month")
    program = Program.objects.get()
    some = Activity.objects.order_by("pk").values_list("pk", flat=True)[:1200:3]
    reverse_activities(program.pk, list(some), now=timezone.now(), reason="test")
    campaign = Campaign.objects.get(name="First visit of the day")

    assert replayed_of(program) == ledger_of(program)

    wanted = NewBacktest(JANUARY, [campaign.pk], cost_per_point=Decimal("0.01"))
    backtest = create_backtest(program, wanted, now=timezone.now())
    run_backtest(backtest.pk)

    found = Backtest.objects.get()
    assert found.status == BacktestStatus.FINISHED
    points = sum(
        points for key, points in ledger_of(program).items() if key[0] == campaign.pk
    )
    (wallet,) = found.result["wallets"]
    assert wallet["points"] == points
    assert wallet["everything"] == wallet["recorded"] == ledger_of(program).total()
