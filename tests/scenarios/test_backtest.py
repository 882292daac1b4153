"""The law of backtests: today's configuration over a past period is the ledger."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
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
from campaigns.models import Campaign
from loyalty.models import Program
from tests.activities.backtesting.comparing import Journal, ledger_of

pytestmark = pytest.mark.django_db

JANUARY = Span(datetime(2017, 1, 1, 7, tzinfo=UTC), datetime(2017, 2, 1, 7, tzinfo=UTC))
EVERYBODY = Members(0, 2**63 - 1)


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
