"""Posting what activities earned."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from loyalty.engine import lots
from loyalty.engine.numbers import format_value
from loyalty.engine.points import expiry_moment
from loyalty.errors import LoyaltyError
from loyalty.ledger import inactivity
from loyalty.ledger.holdings import (
    copy_lines,
    copy_moment,
    open_missing,
    save_holdings,
)
from loyalty.ledger.journal import EntryDraft, Journal
from loyalty.models import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from loyalty.engine.facts import Wallet
    from loyalty.engine.programme import Programme
    from loyalty.ledger.holdings import Holding, Holdings

_AWARD = EntryKind.AWARD.value
_REPAYMENT = EntryKind.REPAYMENT.value


# The greatest whole number that every JSON reader keeps exactly.
AMOUNT_MAX = 2**53


class AmountTooLarge(LoyaltyError):
    """A member would hold more points than an account can keep."""

    code = "amount_too_large"


class AwardPosting(NamedTuple):
    """One award to be posted; ``points`` are above zero."""

    member_id: int
    wallet: Wallet
    points: int
    bucket: str
    offer_id: int
    business_unit_id: int | None
    activity_id: int
    occurred_at: datetime


def post_awards(
    programme: Programme,
    postings: Sequence[AwardPosting],
    holdings: Holdings,
    created_at: datetime,
    journal: Journal | None = None,
) -> None:
    """Credit the awards: entries, lots and balances, in four statements.

    Every member must be locked and ``holdings`` loaded after that. A credit
    first fills a negative balance, then repays what reversals left owed. What a
    ``journal`` holds already is written with them.

    Raises:
        AmountTooLarge: a balance would grow beyond ``AMOUNT_MAX``.
    """
    if not postings and journal is None:
        return
    open_missing(
        holdings,
        programme.program_id,
        ((posting.member_id, posting.wallet.id) for posting in postings),
    )
    if journal is None:
        journal = Journal(programme.program_id, created_at)
        owing = sum(1 for holding in holdings.values() if holding.owed)
        journal.reserve(len(postings) + owing)
    issued = programme.issued_accounts
    for posting in postings:
        holding = holdings[posting.member_id, posting.wallet.id]
        account_id = issued[posting.wallet.id, posting.business_unit_id]
        _credit(posting, holding, account_id, programme, journal)

    alive = inactivity.stretches_of(programme, postings, holdings)
    inactivity.revive(alive, holdings, journal)
    save_holdings(holdings)
    journal.flush()
    inactivity.put_off(alive)


def _credit(
    posting: AwardPosting,
    holding: Holding,
    issued_account_id: int,
    programme: Programme,
    journal: Journal,
) -> None:
    amount = posting.points
    entry_id = journal.entry(
        EntryDraft(
            kind=_AWARD,
            debit_account_id=issued_account_id,
            credit_account_id=holding.account_id,
            amount=amount,
            bucket=posting.bucket,
            occurred_at=posting.occurred_at,
            offer_id=posting.offer_id,
            business_unit_id=posting.business_unit_id,
            activity_id=posting.activity_id,
        )
    )
    split = lots.credit(amount, holding.balance, holding.owed)
    if split.absorbed:
        journal.consumption(entry_id, entry_id, split.absorbed)
    if split.repaid:
        repayment_id = journal.entry(
            EntryDraft(
                kind=_REPAYMENT,
                debit_account_id=holding.account_id,
                credit_account_id=issued_account_id,
                amount=split.repaid,
                bucket=posting.bucket,
                occurred_at=posting.occurred_at,
                business_unit_id=posting.business_unit_id,
                activity_id=posting.activity_id,
            )
        )
        journal.consumption(entry_id, repayment_id, split.repaid)
    available_at, expires_at = _dates_of(posting, programme)
    is_pending = available_at > journal.created_at
    journal.lot(
        entry_id=entry_id,
        account_id=holding.account_id,
        amount=amount,
        remaining=split.remaining,
        earned_at=posting.occurred_at,
        available_at=available_at,
        expires_at=expires_at,
        is_pending=is_pending,
    )
    holding.balance += amount - split.repaid
    holding.owed -= split.repaid
    holding.lifetime_earned += amount
    if max(holding.balance, holding.lifetime_earned) > AMOUNT_MAX:
        raise too_large()
    if is_pending:
        holding.pending += split.remaining
    holding.is_changed = True


def too_large() -> AmountTooLarge:
    """Return the refusal of more points than an account can keep."""
    return AmountTooLarge(
        f"The member would hold more points than {AMOUNT_MAX:,}, the most that an "
        "account keeps.",
        field="value",
    )


def _dates_of(
    posting: AwardPosting, programme: Programme
) -> tuple[datetime, datetime | None]:
    """Return when the points become spendable and when they expire.

    Waiting does not shorten their life: expiry counts from availability.
    """
    wallet = posting.wallet
    available_at = posting.occurred_at
    if wallet.pending_days:
        available_at += timedelta(days=wallet.pending_days)
    if wallet.expiry is None:
        return available_at, None
    zone = programme.rules.clock.zone
    return available_at, expiry_moment(wallet.expiry, available_at, zone)


def post_completions(
    rows: Iterable[tuple[int, int, datetime, bool, int]],
) -> None:
    """Write completions: (member, offer, occurred at, paid, activity)."""
    copy_lines(
        "loyalty_completion",
        "member_id, offer_id, occurred_at, is_paid, activity_id",
        [
            f"{member_id}\t{offer_id}\t{copy_moment(occurred_at)}\t"
            f"{'t' if is_paid else 'f'}\t{activity_id}\n"
            for member_id, offer_id, occurred_at, is_paid, activity_id in rows
        ],
    )


def post_tier_changes(
    rows: Sequence[tuple[int, int | None, datetime, str, int, int | None]],
    current: Mapping[int, int | None],
) -> None:
    """Write tier steps (member, tier, since, cause, score, activity).

    Scores are in 1/10,000 point.
    ``current`` is the tier that each of the members holds from now on.
    """
    if not rows:
        return
    copy_lines(
        "loyalty_membertier",
        "member_id, tier_id, since, cause, score, activity_id",
        [
            f"{member_id}\t{_null(tier_id)}\t{since}\t{cause}\t"
            f"{format_value(score)}\t{_null(activity_id)}\n"
            for member_id, tier_id, since, cause, score, activity_id in rows
        ],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_member m SET tier_id = v.tier_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, tier_id)"
            " WHERE m.id = v.id",
            [list(current), list(current.values())],
        )


def _null(number: int | None) -> str:
    return "\\N" if number is None else str(number)
