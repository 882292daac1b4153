"""Reading files of voucher codes: text, CSV or the first sheet of a workbook."""

from __future__ import annotations

import re
import zipfile
import zlib
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings

from loyalty.services.lists import UnreadableList, first_column

if TYPE_CHECKING:
    from collections.abc import Generator

CODE_CHARACTERS_MAX = 100
# Visible ASCII without what parts an address; a letter or digit at least.
_CODE = re.compile(r"(?=.*[A-Za-z0-9])[!-.0-\[\]-~]{1,100}")
# What openpyxl raises on damaged workbooks; ElementTree's errors are SyntaxErrors.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    SyntaxError,
    OSError,
)


def codes_in(file: IO[bytes], *, has_heading: bool) -> Generator[str, None, None]:
    """Yield the codes of a file, in its order; constant memory.

    One in each line that is not blank: the first cell.

    Raises:
        UnreadableList: not UTF-8, a damaged workbook, or something that is no code.
    """
    is_workbook = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    if is_workbook:
        names = _first_cells(file, has_heading=has_heading)
    else:
        names = first_column(file, has_heading=has_heading)
    # Closed with this generator, while the file is still open.
    with closing(names):
        for place, name in enumerate(names, start=1):
            if not is_code(name):
                raise _no_code(name, place)
            yield name


def is_code(text: str) -> bool:
    """Return whether a text can be the code of a voucher, and stand in an address."""
    return _CODE.fullmatch(text) is not None


def _no_code(name: str, place: int) -> UnreadableList:
    return UnreadableList(
        f"The {_nth(place)} code, “{name[:40]}”, is none: a code has up to "
        f"{CODE_CHARACTERS_MAX} letters, digits and signs, no blanks and no slashes.",
        line=place,
    )


def _nth(place: int) -> str:
    teens = 10 <= place % 100 <= 20
    return f"{place:,}" + (
        "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    )


def _first_cells(file: IO[bytes], *, has_heading: bool) -> Generator[str, None, None]:
    import openpyxl

    _refuse_bomb(file)
    done = 0
    try:
        book = openpyxl.load_workbook(
            file, read_only=True, data_only=True, keep_links=False
        )
        rows = book.worksheets[0].iter_rows(max_col=1, values_only=True)
        for done, row in enumerate(rows, start=1):
            name = _text_of(row[0] if row else None)
            if name and not (has_heading and done == 1):
                yield name
    except _DAMAGED:
        raise UnreadableList(
            f"The Excel file is damaged after row {done}.", line=done
        ) from None


def _refuse_bomb(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except _DAMAGED:
        raise UnreadableList("The Excel file is damaged.", line=0) from None
    file.seek(0)
    if size > min(settings.UPLOAD_UNPACKED_BYTES_MAX, _UNPACKED_BYTES_MAX):
        raise UnreadableList(
            "The Excel file unpacks to more than the site takes. Save it as CSV.",
            line=0,
        )


_UNPACKED_BYTES_MAX = 500_000_000


def _text_of(value: Any) -> str:
    """Return a cell as people see it; a number without a point that says nothing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
