"""Members' accounts, as locked working copies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import connection

from loyalty.models import AccountKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime


@dataclass(slots=True)
class Holding:
    """One member's account in one wallet, while the member is locked.

    ``is_new`` accounts have no row yet; ``is_changed`` ones must be saved.
    """

    account_id: int
    program_id: int
    member_id: int
    wallet_id: int
    balance: int = 0
    pending: int = 0
    lifetime_earned: int = 0
    owed: int = 0
    is_new: bool = False
    is_changed: bool = False


Holdings = dict[tuple[int, int], Holding]


def lock_members(member_ids: Iterable[int]) -> None:
    """Lock the members' rows until the transaction ends, by primary key.

    ``NO KEY`` leaves room for rows that merely refer to a member.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM loyalty_member WHERE id = ANY(%s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [sorted(member_ids)],
        )


def holdings_of(member_ids: Collection[int]) -> Holdings:
    """Return the accounts of locked members by (member, wallet)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, program_id, member_id, wallet_id, balance, pending,"
            " lifetime_earned, owed FROM loyalty_account WHERE member_id = ANY(%s)",
            [list(member_ids)],
        )
        return {(row[2], row[3]): Holding(*row) for row in cursor.fetchall()}


def open_missing(
    holdings: Holdings, program_id: int, wanted: Iterable[tuple[int, int]]
) -> None:
    """Add an empty account for every (member, wallet) that has none yet."""
    missing = sorted(set(wanted) - holdings.keys())
    if not missing:
        return
    ids = reserve_ids("loyalty_account", len(missing))
    for account_id, (member_id, wallet_id) in zip(ids, missing, strict=True):
        holdings[member_id, wallet_id] = Holding(
            account_id, program_id, member_id, wallet_id, is_new=True
        )


def save_holdings(holdings: Holdings) -> None:
    """Write the working copies back: new accounts first, then the sums."""
    fresh = [one for one in holdings.values() if one.is_new]
    if fresh:
        copy_lines(
            "loyalty_account",
            "id, program_id, kind, wallet_id, member_id, balance, pending,"
            " lifetime_earned, owed",
            [
                f"{one.account_id}\t{one.program_id}\t{AccountKind.MEMBER.value}\t"
                f"{one.wallet_id}\t{one.member_id}\t{one.balance}\t{one.pending}\t"
                f"{one.lifetime_earned}\t{one.owed}\n"
                for one in fresh
            ],
        )
    changed = sorted(
        (one for one in holdings.values() if one.is_changed and not one.is_new),
        key=lambda one: one.account_id,
    )
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE loyalty_account a SET balance = v.balance,"
                " pending = v.pending, lifetime_earned = v.lifetime, owed = v.owed"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
                " %s::bigint[]) AS v(id, balance, pending, lifetime, owed)"
                " WHERE a.id = v.id",
                [
                    [one.account_id for one in changed],
                    [one.balance for one in changed],
                    [one.pending for one in changed],
                    [one.lifetime_earned for one in changed],
                    [one.owed for one in changed],
                ],
            )
    for one in holdings.values():
        one.is_new = one.is_changed = False


def reserve_ids(table: str, count: int) -> list[int]:
    """Return ``count`` fresh primary keys of ``table``, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)",
            [f"{table}_id_seq", count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def copy_lines(table: str, columns: str, lines: list[str]) -> None:
    """Write prepared COPY text lines; the fastest way PostgreSQL takes rows.

    Each line ends in a newline; text in it is escaped with ``copy_text``.
    """
    if not lines:
        return
    with (
        connection.cursor() as cursor,
        # Django translates the errors of statements, but not those of a COPY.
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        copy.write("".join(lines))


def copy_text(text: str) -> str:
    """Escape a text for a COPY line."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


@lru_cache(maxsize=4_096)
def copy_moment(moment: datetime) -> str:
    """Return an aware moment for a COPY line.

    Remembered, because the rows of one activity bear the same few moments.
    """
    return str(moment)
