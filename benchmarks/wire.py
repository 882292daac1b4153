"""What the product really sends to PostgreSQL, read from the wire.

libpq can write down every message of a connection; COPY data is among them, which
a server's log of statements does not show.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from psycopg import pq

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGE = re.compile(r"^(?=[FB]\t\d+\t\w)", re.MULTILINE)
_QUERY = re.compile(r'F\t\d+\tQuery\t "(.*)"\n', re.DOTALL)
_COPIED = re.compile(r"F\t\d+\tCopyData\t '(.*)'\n", re.DOTALL)
# A doubled backslash is COPY's own; a single one is how the trace writes bytes.
_BYTE = re.compile(rb"\\\\|\\x([0-9a-f]{2})")
_COPY_ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


class Statement(NamedTuple):
    """One statement; ``rows`` are what a COPY carried, None is null."""

    text: str
    rows: list[list[str | None]]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Give a list; afterwards it holds what this thread's connection has sent."""
    statements: list[Statement] = []
    connection.ensure_connection()
    line = connection.connection.pgconn
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        with path.open("wb") as trace:
            line.trace(trace.fileno())
            line.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
            try:
                yield statements
            finally:
                line.untrace()
        statements += _statements_in(path.read_text())


def _statements_in(trace: str) -> Iterator[Statement]:
    text, copied = "", b""
    for message in _MESSAGE.split(trace):
        query = _QUERY.fullmatch(message)
        data = _COPIED.fullmatch(message)
        if query:
            if text:
                yield Statement(text, _rows_in(copied))
            text, copied = query[1].strip(), b""
        elif data:
            copied += _BYTE.sub(_byte, data[1].encode())
    if text:
        yield Statement(text, _rows_in(copied))


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else found[0]


def _rows_in(copied: bytes) -> list[list[str | None]]:
    return [
        [_value(cell) for cell in line.split("\t")]
        for line in copied.decode().splitlines()
    ]


def _value(cell: str) -> str | None:
    if cell == "\\N":
        return None
    return re.sub(r"\\.", lambda found: _COPY_ESCAPES[found[0]], cell)
