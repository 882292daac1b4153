"""Text files, block by block: strictly decoded, lines with their numbers."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

from loyalty.services.tables.dialects import label_of
from loyalty.services.tables.refusals import BrokenFile, WrongEncoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_BYTES_MAX = 10 * 1024 * 1024
_UTF8_MARK = b"\xef\xbb\xbf"


def text_lines(blocks: Iterable[bytes], encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a text with their ends; LF, CR LF and CR end one.

    Raises:
        WrongEncoding: bytes that are not of ``encoding``, or NUL; names the line.
        BrokenFile: a line longer than any activity.
    """
    line = 1
    if encoding != "utf-8":
        blocks = _as_utf8(blocks, encoding)
    for block in _whole_lines(blocks):
        text = _decoded(block, line)
        for one in io.StringIO(text, newline=""):
            yield one
            line += 1


def _as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for block in blocks:
            text = decoder.decode(block)
            line += text.count("\n")
            yield text.encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise WrongEncoding(
            f"After line {line} the text is not {label_of(encoding)}. Choose another "
            "encoding.",
            field="file",
            line=line,
        ) from None


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
            f"Line {line} holds the character NUL: the file is not UTF-8 text. "
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
            "Choose another encoding, or save the file as “CSV UTF-8”.",
            field="file",
            line=line,
        ) from None


def _line_at(block: bytes, place: int, first_line: int) -> int:
    before = block[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return first_line + before.count(b"\n")
