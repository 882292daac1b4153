"""Reading the first column of a file of names: one per line, or CSV."""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING

from django.db import connection

from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_BLOCK_CHARACTERS = 1_000_000
_NAME_CHARACTERS_MAX = 255


class UnreadableList(LoyaltyError):
    """The file is not text in lines; ``facts["line"]`` says where."""

    code = "unreadable_list"


def first_column(file: IO[bytes], *, has_heading: bool) -> Generator[str, None, None]:
    """Yield the trimmed first cell of every line that has one; constant memory.

    Commas, semicolons and tabs part cells. The file must be UTF-8.

    Raises:
        UnreadableList: wrong encoding, a zero character or a cell too long.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 0
    try:
        for number, cells in enumerate(csv.reader(_commas(text)), start=1):
            name = cells[0].strip() if cells else ""
            if not name or (has_heading and number == 1):
                continue
            yield _checked(name, number)
    except UnicodeDecodeError:
        raise UnreadableList(
            f"After line {number} the file is not UTF-8. Save it as “CSV UTF-8”.",
            line=number,
        ) from None
    except csv.Error as error:
        raise UnreadableList(
            f"Line {number + 1} cannot be read: {error}.", line=number + 1
        ) from None
    finally:
        text.detach()


def copy_names(names: Iterator[str]) -> int:
    """Copy names into the temporary table ``listed_name``; return how many.

    The table lives as long as the transaction; blocks keep memory constant.
    """
    count = 0
    block = io.StringIO()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE listed_name (name text) ON COMMIT DROP")
        with cursor.copy("COPY listed_name (name) FROM STDIN") as copy:
            for name in names:
                count += 1
                block.write(name.replace("\\", "\\\\").replace("\t", "\\t"))
                block.write("\n")
                if block.tell() > _BLOCK_CHARACTERS:
                    copy.write(block.getvalue())
                    block = io.StringIO()
            copy.write(block.getvalue())
        cursor.execute("ANALYZE listed_name")
    return count


def _commas(text: IO[str]) -> Iterator[str]:
    """Yield lines with the file's own separator made a comma."""
    first = text.readline()
    separator = next((one for one in "\t;" if one in first and "," not in first), "")
    yield first.replace(separator, ",") if separator else first
    for line in text:
        yield line.replace(separator, ",") if separator else line


def _checked(name: str, number: int) -> str:
    if len(name) > _NAME_CHARACTERS_MAX:
        raise UnreadableList(
            f"Line {number}: the first cell has more than {_NAME_CHARACTERS_MAX} "
            "characters.",
            line=number,
        )
    if "\x00" in name or "\n" in name or "\r" in name:
        raise UnreadableList(
            f"Line {number}: the first cell holds a character that no name has.",
            line=number,
        )
    return name
