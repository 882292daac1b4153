"""Plumbing: a backtest's points and the ledger's, offer by member by day."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from activities.services.backtesting import Span, replayed, trial_programme
from activities.services.backtesting.reading import Members
from activities.services.backtesting.tallying import Tally

EVERYBODY = Members(0, 2**63 - 1)
EVER = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


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
            " WHERE e.kind = 'award' AND e.program_id = %s AND NOT EXISTS"
            " (SELECT FROM loyalty_entry r WHERE r.reverses_id = e.id)"
            " GROUP BY 1, 2, 3",
            [program.time_zone, program.pk],
        )
        return Counter({row[:3]: int(row[3]) for row in cursor.fetchall()})


def replayed_of(program, span=EVER, tried=()) -> Counter:
    """Return what a backtest pays, counted like ``ledger_of``."""
    programme = trial_programme(program.pk, tried, span if tried else None)
    journal = Journal(programme.rules.clock)
    replayed(programme, span, EVERYBODY, journal)
    return +journal.points
