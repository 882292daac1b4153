"""The statements of one live activity as a script for pgbench.

They are the product's own, taken from the wire, with three changes that pgbench
asks for: members, keys and fresh ids are variables, COPY is an INSERT of the same
row, and ids are fetched as columns instead of rows.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from config import private_postgres

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.wire import Statement

_NEXT_IDS = re.compile(
    r"SELECT nextval\('(\w+)_id_seq'\) FROM generate_series\(1, (\d+)\)"
)
_CLAIM = re.compile(r"pg_try_advisory_xact_lock\(-?\d+\)")
_COPY = re.compile(r"COPY (\w+) \((.*)\) FROM STDIN")
_RATE = re.compile(r"tps = ([\d.]+)")


def script(
    statements: list[Statement],
    ids: dict[str, list[int]],
    words: dict[str, str],
    settings: list[str],
) -> str:
    r"""Return the script.

    Args:
        statements: what the product sent for one activity.
        ids: the primary keys that it fetched, by table, in order.
        words: what stands for the member and the key; text to its replacement.
        settings: the ``\set`` lines that the replacements need.
    """
    replaced = dict(words)
    for table, numbers in ids.items():
        for place, number in enumerate(numbers):
            replaced[str(number)] = f":{table}_{place}"
    pattern = re.compile(
        r"(?<![\w.])(" + "|".join(map(re.escape, replaced)) + r")(?![\w.])"
    )
    lines = [*settings]
    for statement in statements:
        text = pattern.sub(lambda found: replaced[found[0]], _by_hand(statement))
        lines.append(text)
    return "\n".join(lines) + "\n"


def _by_hand(statement: Statement) -> str:
    fetched = _NEXT_IDS.fullmatch(statement.text)
    if fetched:
        table, count = fetched[1], int(fetched[2])
        columns = ", ".join(
            f"nextval('{table}_id_seq') AS {table}_{place}" for place in range(count)
        )
        return f"SELECT {columns} \\gset"
    copied = _COPY.fullmatch(statement.text)
    if copied:
        rows = ", ".join(f"({', '.join(map(_literal, row))})" for row in statement.rows)
        return f"INSERT INTO {copied[1]} ({copied[2]}) VALUES {rows};"
    return _CLAIM.sub("pg_try_advisory_xact_lock(:key)", statement.text) + ";"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def rate(address: str, path: Path, clients: int, seconds: int) -> float:
    """Let pgbench run a script; return transactions per second."""
    done = subprocess.run(
        [
            str(private_postgres.binary("pgbench")),
            *("--no-vacuum", "--protocol", "simple", "--file", str(path)),
            *("--client", str(clients), "--jobs", str(min(clients, 2))),
            *("--time", str(seconds), address),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = _RATE.search(done.stdout)
    if found is None or "number of failed transactions: 0 " not in done.stdout:
        raise AssertionError(f"pgbench failed: {done.stdout}\n{done.stderr}")
    return float(found[1])
