"""Reading one column of a file of names: one per line, CSV or Excel."""

from __future__ import annotations

import io
import re
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from django.db import connection

from loyalty.errors import LoyaltyError
from loyalty.services.tables.escaping import unescaped
from loyalty.services.tables.reading import table_rows
from loyalty.services.tables.refusals import EmptyFile, UnusableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_LOOKED_AT = 50
_SHOWN = 8
_HEADING_WORDS = (
    "code codes voucher vouchers coupon coupons gutschein gutscheine gutscheincode "
    "member members customer kunde kundennummer karte kartennummer card number "
    "nummer id ids item items article artikel artikelnummer product produkt sku "
    "ean gtin barcode email client cliente carte tarjeta codigo numero articulo"
)
_HEADINGS = frozenset(_HEADING_WORDS.split())
_BLOCK_CHARACTERS = 1_000_000
_NAME_CHARACTERS_MAX = 255
# What a spreadsheet makes of a long number, and of one that a data tool took for a
# decimal. Digits are lost, or nobody sends the point: no name was ever written so.
_SPOILED = re.compile(r"\d([.,]\d+)?[eE]\+\d+|\d{4,}[.,]0+", re.ASCII)


class UnreadableList(LoyaltyError):
    """The file is not a list of names; ``facts["line"]`` says where."""

    code = "unreadable_list"


def first_column(
    file: IO[bytes], *, has_heading: bool, column: int = 0
) -> Generator[str, None, None]:
    """Yield the trimmed cells of a column that are not empty; constant memory.

    Encoding and separator are guessed from the first lines. Cells that a download
    escaped are given back as they were.

    Raises:
        UnreadableList: neither text nor Excel, damaged, a zero character or a cell
            too long, or a number that a spreadsheet rewrote (4.00638E+12).
    """
    rows = table_rows(file)
    try:
        with closing(rows):
            for place, (line, cells) in enumerate(rows):
                name = cells[column].strip() if column < len(cells) else ""
                if name and not (has_heading and not place):
                    yield _checked(unescaped(name), line)
    except EmptyFile:
        return
    except UnusableFile as error:
        line = int(str(error.facts.get("line") or 0))
        raise UnreadableList(error.message, line=line) from None


@dataclass(frozen=True)
class ListLook:
    """The first names of a file, and whether the very first is rather a heading."""

    first: list[str]
    looks_like_heading: bool


def look_at_list(file: IO[bytes]) -> ListLook:
    """Return how a list begins, before it is taken.

    Raises:
        UnreadableList: the first lines cannot be read.
    """
    with closing(first_column(file, has_heading=False)) as names:
        first = list(islice(names, _LOOKED_AT))
    file.seek(0)
    return ListLook(first[:_SHOWN], _is_heading(first))


def _is_heading(names: list[str]) -> bool:
    if not names:
        return False
    head, rest = names[0], names[1:]
    words = set(re.split(r"[\W_]+", head.casefold()))
    if any(map(str.isdigit, head)):
        return False
    with_digits = sum(any(map(str.isdigit, name)) for name in rest)
    return bool(words & _HEADINGS) or with_digits > len(rest) / 2


def copy_names(
    names: Iterator[str], *, key_of: Callable[[str], str] | None = None
) -> int:
    """Copy names into the temporary table ``listed_name``; return how many.

    Beside each its key, if ``key_of`` says how to compare them. The table lives as
    long as the transaction; blocks keep memory constant.
    """
    count = 0
    block = io.StringIO()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE listed_name (name text, key text) ON COMMIT DROP"
        )
        with cursor.copy("COPY listed_name (name, key) FROM STDIN") as copy:
            for name in names:
                count += 1
                key = "\\N" if key_of is None else _escaped(key_of(name))
                block.write(f"{_escaped(name)}\t{key}\n")
                if block.tell() > _BLOCK_CHARACTERS:
                    copy.write(block.getvalue())
                    block = io.StringIO()
            copy.write(block.getvalue())
        cursor.execute("ANALYZE listed_name")
    return count


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t")


def _checked(name: str, number: int) -> str:
    if len(name) > _NAME_CHARACTERS_MAX:
        raise UnreadableList(
            f"Line {number}: the cell has more than {_NAME_CHARACTERS_MAX} characters.",
            line=number,
        )
    if _SPOILED.fullmatch(name):
        raise UnreadableList(
            f"Line {number}: “{name}” is a number as a spreadsheet rewrote it. Format "
            "the column as text, enter the numbers again and save the file anew.",
            line=number,
        )
    if "\x00" in name or "\n" in name or "\r" in name:
        raise UnreadableList(
            f"Line {number}: the cell holds a character that no name has.",
            line=number,
        )
    return name
