"""How a text file is written: its encoding and what separates its cells.

Both are guessed from a sample of the first lines, and shown to people.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loyalty.services.tables.refusals import WrongEncoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLE_BYTES = 1 << 18
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "windows-1252": "Windows-1252 (Western Europe)",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_WITHOUT_MARK = ("utf-16-le", "utf-16-be")
_MARKS = (
    (b"\xff\xfe\x00\x00", ""),
    (b"\x00\x00\xfe\xff", ""),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_HEAD_BYTES = 4096
_SAMPLE_LINES = 30
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The encoding of a text file and the character between its cells."""

    encoding: str = "utf-8"
    delimiter: str = ","


def label_of(encoding: str) -> str:
    """Return what people call an encoding.

    >>> label_of("utf-16-le")
    'UTF-16'
    """
    return ENCODINGS.get(encoding, encoding.upper().removesuffix("-LE")[:6])


def guess_encoding(sample: bytes) -> str:
    """Return the encoding of a text by its first bytes.

    A mark decides; else what is valid UTF-8 is UTF-8; UTF-16 without a mark is
    known by its zeros; all other text is taken for Windows-1252.

    Raises:
        WrongEncoding: zeros that are no UTF-16, so not text at all.
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            if not encoding:
                break
            return encoding
    else:
        if b"\0" not in sample[:_HEAD_BYTES]:
            return "utf-8" if _can_be(sample, "utf-8") else "windows-1252"
        for place, encoding in zip((1, 0), _WITHOUT_MARK, strict=True):
            zeros = sample[place::2].count(0)
            if zeros * 4 > len(sample) and not sample[1 - place :: 2].count(0):
                return encoding
    raise WrongEncoding(
        "The file holds NUL characters: it is not text in UTF-8 or UTF-16. Save it as "
        "“CSV UTF-8” and upload it again.",
        field="file",
    )


def has_mark(sample: bytes) -> bool:
    """Return whether the text says itself which Unicode it is."""
    return any(sample.startswith(mark) for mark, encoding in _MARKS if encoding)


def _can_be(sample: bytes, encoding: str) -> bool:
    try:
        # The sample may end within a character.
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def separator_of(line: str) -> str | None:
    r"""Return the separator that a line for Excel names, None if it is not one.

    >>> separator_of("sep=;\r\n"), separator_of("key;member")
    (';', None)
    """
    match = _SEPARATOR_LINE.fullmatch(line)
    return match.group(1) if match else None


def guess_dialect(sample: bytes, is_known: Callable[[str], bool]) -> Dialect:
    """Return how a text file is written, by its first lines.

    Args:
        sample: the first bytes; a last line that is cut off does not count.
        is_known: whether a name is one that a header of such files has.

    Raises:
        WrongEncoding: it is not text.
    """
    encoding = guess_encoding(sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    lines = [
        line for line in io.StringIO(text.removeprefix("\ufeff"), newline="") if line
    ]
    if len(sample) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()
    filled = [line for line in lines if line.strip()][:_SAMPLE_LINES]
    return Dialect(encoding, guess_delimiter(filled, is_known))


def guess_delimiter(lines: Sequence[str], is_known: Callable[[str], bool]) -> str:
    r"""Return what separates the cells of some lines; a comma if nothing does.

    A line that names it decides, then a header of known names, then what gives the
    most lines the same number of cells.

    >>> guess_delimiter(["id,x\n", "4711;a\n", "4712;b\n"], lambda name: False)
    ';'
    """
    if not lines:
        return ","
    named = separator_of(lines[0])
    if named is not None:
        return named
    known = {one: _known_count(lines[0], one, is_known) for one in DELIMITERS}
    best = max(known, key=lambda one: known[one])
    if known[best] > 1:
        return best
    return max(DELIMITERS, key=lambda one: _regularity(lines, one))


def _known_count(header: str, delimiter: str, is_known: Callable[[str], bool]) -> int:
    names = (name.strip('" \r\n\t') for name in header.split(delimiter))
    return sum(map(is_known, names))


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Return how many lines have the most common number of cells, and that number."""
    widths = Counter(_widths(lines, delimiter))
    several = [(count, width) for width, count in widths.items() if width > 1]
    return max(several, default=(0, 0))


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    found = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            found.append(len(row))  # noqa: PERF401 (what was read before an error stays)
    except csv.Error:
        pass
    return found
