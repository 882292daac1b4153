"""Reading files of voucher codes: text, CSV or Excel."""

from __future__ import annotations

import re
from contextlib import closing
from typing import IO, TYPE_CHECKING

from loyalty.services.lists import UnreadableList, first_column

if TYPE_CHECKING:
    from collections.abc import Generator

CODE_CHARACTERS_MAX = 100
# Visible ASCII without what parts an address; a letter or digit at least.
_CODE = re.compile(r"(?=.*[A-Za-z0-9])[!-.0-\[\]-~]{1,100}")


def codes_in(
    file: IO[bytes], *, has_heading: bool, column: int = 0
) -> Generator[str, None, None]:
    """Yield the codes of a file, in its order; constant memory.

    One in each line that is not blank, in the column that is named.

    Raises:
        UnreadableList: neither text nor Excel, damaged, or something that is no code.
    """
    names = first_column(file, has_heading=has_heading, column=column)
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
