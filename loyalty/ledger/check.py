"""Proving that every stored sum equals what the rows add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


# Of one law; whoever sees so many has to find the cause, not to count.
_MISMATCHES_MAX = 100_000


class Mismatch(NamedTuple):
    """One sum that is wrong: the law it breaks, where, and both numbers."""

    law: str
    where: str
    stored: int | None
    expected: int | None


_MOVED = """WITH e AS MATERIALIZED (
    SELECT account_id, sum(signed) AS balance,
           sum(earned) AS earned
    FROM (
        SELECT credit_account_id AS account_id, amount AS signed,
               CASE WHEN kind = 'award' THEN amount ELSE 0 END AS earned
        FROM loyalty_entry
        UNION ALL
        SELECT debit_account_id, -amount,
               CASE WHEN kind IN ('reversal', 'repayment') THEN -amount ELSE 0 END
        FROM loyalty_entry
    ) moved GROUP BY account_id
)
"""

# Each query returns (where, stored, expected) for every row that breaks the law.
LAWS: dict[str, str] = {
    "The balance of an account is the sum of its entries": _MOVED  # noqa: S608 (constants of this module)
    + """
        SELECT 'account ' || a.id, a.balance, coalesce(e.balance, 0)
        FROM loyalty_account a LEFT JOIN e ON e.account_id = a.id
        WHERE a.member_id IS NOT NULL AND a.balance <> coalesce(e.balance, 0)
    """,
    "Earnings are awards less reversals, repayments and what is owed": _MOVED  # noqa: S608 (constants of this module)
    + """
        SELECT 'account ' || a.id, a.lifetime_earned, coalesce(e.earned, 0) - a.owed
        FROM loyalty_account a LEFT JOIN e ON e.account_id = a.id
        WHERE a.member_id IS NOT NULL
          AND a.lifetime_earned <> coalesce(e.earned, 0) - a.owed
    """,
    "Pending points are what unreleased lots hold": """
        SELECT 'account ' || a.id, a.pending, coalesce(sum(l.remaining), 0)
        FROM loyalty_account a
        LEFT JOIN loyalty_lot l ON l.account_id = a.id AND l.is_pending
        WHERE a.member_id IS NOT NULL
        GROUP BY a.id HAVING a.pending <> coalesce(sum(l.remaining), 0)
    """,
    "A lot holds its amount less what entries took from it": """
        SELECT 'lot ' || l.entry_id, l.remaining, l.amount - coalesce(c.taken, 0)
        FROM loyalty_lot l LEFT JOIN (
            SELECT c.lot_id, sum(c.amount) AS taken
            FROM loyalty_lotconsumption c
            LEFT JOIN loyalty_entry back
              ON back.reverses_id = c.entry_id AND back.kind = 'expiry'
            WHERE back.id IS NULL GROUP BY c.lot_id
        ) c ON c.lot_id = l.entry_id
        WHERE l.remaining <> l.amount - coalesce(c.taken, 0)
    """,
    "A lot has the amount and the account of its entry": """
        SELECT 'lot ' || l.entry_id, l.amount, e.amount
        FROM loyalty_lot l JOIN loyalty_entry e ON e.id = l.entry_id
        WHERE l.amount <> e.amount OR l.account_id <> e.credit_account_id
    """,
    "Every credit of a member has a lot": """
        SELECT 'entry ' || e.id, NULL, e.amount
        FROM loyalty_entry e
        JOIN loyalty_account a ON a.id = e.credit_account_id
        LEFT JOIN loyalty_lot l ON l.entry_id = e.id
        WHERE a.member_id IS NOT NULL AND l.entry_id IS NULL
          -- Points whose expiry is taken back are in their own lot again.
          AND e.kind <> 'expiry'
    """,
    "What the lots hold is the balance, or nothing below zero": """
        SELECT 'account ' || a.id, greatest(a.balance, 0), coalesce(sum(l.remaining), 0)
        FROM loyalty_account a LEFT JOIN loyalty_lot l ON l.account_id = a.id
        WHERE a.member_id IS NOT NULL
        GROUP BY a.id
        HAVING greatest(a.balance, 0) <> coalesce(sum(l.remaining), 0)
    """,
    "Both sides of an entry are of one wallet and one program": """
        SELECT 'entry ' || e.id, d.wallet_id, c.wallet_id
        FROM loyalty_entry e
        JOIN loyalty_account d ON d.id = e.debit_account_id
        JOIN loyalty_account c ON c.id = e.credit_account_id
        WHERE d.wallet_id <> c.wallet_id OR d.program_id <> c.program_id
           OR e.program_id <> d.program_id
    """,
    "A reversal takes back no more than its award": """
        SELECT 'entry ' || r.id, r.amount, e.amount
        FROM loyalty_entry r JOIN loyalty_entry e ON e.id = r.reverses_id
        WHERE r.amount > e.amount OR r.debit_account_id <> e.credit_account_id
    """,
    "The stock of a voucher type is what nobody has of its list": """
        SELECT 'voucher type ' || s.voucher_type_id, s.codes_left, count(v.id)
        FROM loyalty_voucherstock s
        LEFT JOIN loyalty_voucher v
          ON v.voucher_type_id = s.voucher_type_id AND v.status = 'available'
        GROUP BY s.voucher_type_id, s.codes_left
        HAVING s.codes_left <> count(v.id)
    """,
    # In 1/10,000 of the currency.
    "What a voucher redeemed and what its rest holds is its amount": """
        SELECT 'voucher ' || v.id, (v.amount_original * 10000)::bigint,
               ((v.amount_redeemed + coalesce(r.amount_original, 0)) * 10000)::bigint
        FROM loyalty_voucher v
        LEFT JOIN loyalty_voucher r ON r.regenerated_from_id = v.id
        WHERE v.status = 'redeemed'
          AND v.amount_original <> v.amount_redeemed + coalesce(r.amount_original, 0)
    """,
}


def mismatches() -> Iterator[Mismatch]:
    """Yield every sum in the ledger that does not add up."""
    yield from broken(LAWS)


def broken(laws: dict[str, str]) -> Iterator[Mismatch]:
    """Yield what breaks ``laws``: SQL that returns (where, stored, expected).

    Every law looks at whole tables, so nested loops are kept out: planned with
    statistics from before a large upload they took hours.
    """
    for law, query in laws.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute(query)
            rows = cursor.fetchmany(_MISMATCHES_MAX)
            cursor.execute("SET LOCAL enable_nestloop = on")
        for where, stored, expected in rows:
            yield Mismatch(law, where, stored, expected)
