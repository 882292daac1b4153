"""Cells that a spreadsheet would take for a formula, written so that it does not."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BLOCK_CHARACTERS = 1 << 16

# The wide forms are what Excel of some countries takes for the same characters.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)


def escaped(text: str) -> str:
    """Return the cell with an apostrophe in front if it looks like a formula.

    >>> escaped("=1+1"), escaped("-5.00"), escaped("R-1")
    ("'=1+1", '-5.00', 'R-1')
    """
    # What was escaped by somebody else is escaped again, so that it comes back.
    if _FORMULA.match(text.lstrip("'")) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def unescaped(text: str) -> str:
    """Return the cell as it was before it was escaped.

    >>> unescaped("'=1+1"), unescaped("'tis")
    ('=1+1', "'tis")
    """
    if text.startswith("'") and escaped(text[1:]) == text:
        return text[1:]
    return text


def csv_blocks(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield rows as CSV, a few thousand at a time, none of them a live formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([escaped(str(cell)) for cell in row])
        if text.tell() > _BLOCK_CHARACTERS:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue()
