"""The floor of bulk recording: what PostgreSQL alone needs for the same rows.

The rows that the product wrote are kept aside and written again in plain SQL, one
statement for each table and all in one transaction: into the same tables, with
the same indexes, triggers and constraints. Nothing is read, decided or explained.
"""

from __future__ import annotations

import time

import psycopg

# New rows of each table, in the order that foreign keys need.
_NEW = {
    "loyalty_account": "id",
    "activities_activity": "id",
    "loyalty_entry": "id",
    "loyalty_lot": "entry_id",
    "loyalty_lotconsumption": "id",
    "loyalty_completion": "id",
    "loyalty_membertier": "id",
}
_BALANCES = "id, balance, pending, lifetime_earned, owed"


def keep_rows(before: str, after: str) -> None:
    """Put what was recorded between two databases aside, in tables of the first."""
    with psycopg.connect(before) as target, psycopg.connect(after) as origin:
        for table, key in _NEW.items():
            latest = _latest(target, table, key)
            target.execute(f"CREATE TABLE kept_{table} AS TABLE {table} WITH NO DATA")
            _copy(
                origin,
                f"SELECT * FROM {table} WHERE {key} > {latest}",
                target,
                f"kept_{table}",
            )
        target.execute(
            f"CREATE TABLE kept_balances AS SELECT {_BALANCES} FROM loyalty_account"
            " WITH NO DATA"
        )
        _copy(
            origin,
            f"SELECT {_BALANCES} FROM loyalty_account WHERE member_id IS NOT NULL",
            target,
            "kept_balances",
        )


def _latest(connection: psycopg.Connection, table: str, key: str) -> int:
    query = f"SELECT coalesce(max({key}), 0) FROM {table}"
    return int(connection.execute(query).fetchall()[0][0])


def _copy(
    origin: psycopg.Connection, query: str, target: psycopg.Connection, table: str
) -> None:
    with (
        origin.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as source,
        target.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as sink,
    ):
        for block in source:
            sink.write(block)


def write_again(address: str) -> float:
    """Write the kept rows where they belong; return the seconds."""
    with psycopg.connect(address) as connection:
        started = time.perf_counter()
        for table in _NEW:
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        connection.execute(
            "UPDATE loyalty_account a SET balance = k.balance, pending = k.pending,"
            " lifetime_earned = k.lifetime_earned, owed = k.owed"
            " FROM kept_balances k WHERE k.id = a.id"
        )
        connection.commit()
        return time.perf_counter() - started
