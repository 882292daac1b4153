"""Text files, block by block: strict UTF-8, lines with their numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from activities.services.uploads.refusals import BrokenFile, WrongEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_BYTES_MAX = 10 * 1024 * 1024
_UTF8_MARK = b"\xef\xbb\xbf"


def text_lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a UTF-8 text with their ends; LF, CR LF and CR end one.

    Raises:
        WrongEncoding: bytes that are not UTF-8, or NUL; names the line.
        BrokenFile: a line longer than any activity.
    """
    line = 1
    for block in _whole_lines(blocks):
        text = _decoded(block, line)
        for one in io.StringIO(text, newline=""):
            yield one
            line += 1


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    is_first = True
    for block in blocks:
        joined = rest + block
        if is_first and len(joined) < len(_UTF8_MARK):
            rest = joined
            continue
        if is_first:
            joined = joined.removeprefix(_UTF8_MARK)
            is_first = False
        # A CR at the very end may be half of a CR LF.
        cut = max(joined.rfind(b"\n"), joined.rfind(b"\r", 0, -1)) + 1
        if cut:
            yield joined[:cut]
        rest = joined[cut:]
        if len(rest) > LINE_BYTES_MAX:
            raise BrokenFile("The file has a line longer than 10 MB.", field="file")
    if rest:
        yield rest.removeprefix(_UTF8_MARK) if is_first else rest


def _decoded(block: bytes, first_line: int) -> str:
    place = block.find(b"\0")
    if place >= 0:
        line = _line_at(block, place, first_line)
        raise WrongEncoding(
            f"Line {line} holds the character NUL: the file is no UTF-8 text. "
            "Save it as “CSV UTF-8” and upload it again.",
            field="file",
            line=line,
        )
    try:
        return block.decode()
    except UnicodeDecodeError as error:
        line = _line_at(block, error.start, first_line)
        raise WrongEncoding(
            f"Line {line} is not UTF-8 (byte 0x{block[error.start]:02X}). "
            "Save the file as “CSV UTF-8” and upload it again.",
            field="file",
            line=line,
        ) from None


def _line_at(block: bytes, place: int, first_line: int) -> int:
    before = block[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return first_line + before.count(b"\n")
