"""What a file is, how it is kept and how it is opened safely."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from django.conf import settings

from loyalty.models import FileFormat
from loyalty.services.tables.dialects import guess_encoding
from loyalty.services.tables.refusals import (
    BrokenFile,
    EmptyFile,
    FormatMismatch,
    UnknownFormat,
    UnpacksTooLarge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

BLOCK_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_UTF8_MARK = b"\xef\xbb\xbf"
_EXTENSIONS = {
    "csv": FileFormat.CSV,
    "tsv": FileFormat.CSV,
    "jsonl": FileFormat.JSON_LINES,
    "ndjson": FileFormat.JSON_LINES,
    "json": FileFormat.JSON_LINES,
    "parquet": FileFormat.PARQUET,
    "pq": FileFormat.PARQUET,
    "xlsx": FileFormat.XLSX,
}
# Small files may be packed as tightly as they like.
_RATIO_COUNTS_FROM_BYTES = 10 * 1024 * 1024
# Excel's shared texts and styles are held in memory while its sheets are read.
_SHARED_PARTS_BYTES_MAX = 100 * 1024 * 1024
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file is, judged by name and content."""

    format: FileFormat
    is_gzipped: bool


def detect(name: str, stream: IO[bytes]) -> Detected:
    """Say what a file is; its content decides and its name must agree.

    Raises:
        UnusableFile: empty, none of the formats, no text in an encoding that can be
            read, or named otherwise.
    """
    stream.seek(0)
    is_gzipped = stream.read(2) == _GZIP
    stream.seek(0)
    head = _head_of(stream, is_gzipped=is_gzipped)
    stream.seek(0)
    if not head.removeprefix(_UTF8_MARK).strip():
        raise EmptyFile("The file is empty.", field="file")
    found = _format_of(head)
    promised = _EXTENSIONS.get(_extension_of(name))
    if promised is not None and promised is not found:
        raise FormatMismatch(
            f"The name says {promised.label}, the content is {found.label}. Name the "
            "file for what it is, or save it in the format of its name.",
            field="file",
        )
    return Detected(found, is_gzipped)


def _head_of(stream: IO[bytes], *, is_gzipped: bool) -> bytes:
    if not is_gzipped:
        return stream.read(4096)
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            return packed.read(4096)
    except _BROKEN:
        raise BrokenFile("The packed file is damaged.", field="file") from None


def _format_of(head: bytes) -> FileFormat:
    if head.startswith(_PARQUET):
        return FileFormat.PARQUET
    if head.startswith(_ZIP):
        return FileFormat.XLSX
    if head.startswith(_OLD_EXCEL):
        raise UnknownFormat(
            "This is an old Excel file (XLS). Save it as XLSX or CSV.", field="file"
        )
    text = head.decode(guess_encoding(head), "ignore").removeprefix("\ufeff").lstrip()
    if text.startswith("["):
        raise UnknownFormat(
            "This is one JSON array. Write one object on each line (JSON Lines).",
            field="file",
        )
    return FileFormat.JSON_LINES if text.startswith("{") else FileFormat.CSV


def _extension_of(name: str) -> str:
    parts = name.lower().removesuffix(".gz").rsplit(".", 1)
    return parts[1] if len(parts) == 2 else ""


def plain_name(name: str) -> str:
    """Return the last part of a file name, without folders or control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(one for one in last if one.isprintable()).strip(" .")
    return printable[-255:] or "upload"


def do_nothing() -> None:
    """Look at nothing."""


class _Counted(io.RawIOBase):
    """A stream that knows how far it was read, and says when it is."""

    def __init__(self, inner: IO[bytes], look: Callable[[], None]) -> None:
        self._inner = inner
        self._look = look
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._look()
        block = self._inner.read(len(buffer))
        buffer[: len(block)] = block
        self.position += len(block)
        return len(block)


class StoredFile(Protocol):
    """A file's size as it is stored, and whether it is packed."""

    size_bytes: int
    is_gzipped: bool


class OpenFile:
    """A file while it is read: unpacked blocks and how far they are."""

    def __init__(
        self,
        stored: StoredFile,
        stream: IO[bytes],
        look: Callable[[], None] = do_nothing,
    ) -> None:
        """Read ``stored`` from ``stream``, which stays the caller's to close.

        ``look`` is called with every block and may raise.
        """
        self.size_bytes = stored.size_bytes
        self._look = look
        self._counted = _Counted(stream, look)
        self._is_gzipped = stored.is_gzipped
        self._stream = stream

    @property
    def bytes_read(self) -> int:
        """Return how much of the file as it was uploaded has been read."""
        return self._counted.position or self._seekable_position()

    def _seekable_position(self) -> int:
        return 0 if self._stream.closed else self._stream.tell()

    def blocks(self) -> Iterator[bytes]:
        """Yield the unpacked content.

        Raises:
            UnpacksTooLarge: more than the site's limits, before it is read.
            BrokenFile: cut off or damaged.
        """
        source: io.RawIOBase | gzip.GzipFile = self._counted
        if self._is_gzipped:
            source = gzip.GzipFile(fileobj=self._counted)
        unpacked = 0
        try:
            while block := source.read(BLOCK_BYTES):
                unpacked += len(block)
                if self._is_gzipped:
                    refuse_bomb(unpacked, self._counted.position)
                yield block
        except _BROKEN:
            raise BrokenFile(
                "The packed file is cut off or damaged. Upload it again.", field="file"
            ) from None

    def seekable(self) -> AbstractContextManager[IO[bytes]]:
        """Return the unpacked content as a file that can be read in any order."""
        if not self._is_gzipped:
            self._stream.seek(0)
            return io.BufferedReader(_Borrowed(self._stream, self._look))
        spool = tempfile.TemporaryFile()  # noqa: SIM115 (handed to the caller)
        for block in self.blocks():
            spool.write(block)
        spool.seek(0)
        return spool


class _Borrowed(io.RawIOBase):
    """Another's stream, which is not closed with this one."""

    def __init__(self, inner: IO[bytes], look: Callable[[], None]) -> None:
        self._inner = inner
        self._look = look

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def readinto(self, buffer: Any) -> int:
        self._look()
        block = self._inner.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def refuse_bomb(unpacked_bytes: int, packed_bytes: int) -> None:
    """Refuse content that unpacks to more than the site's limits.

    Raises:
        UnpacksTooLarge: over the absolute limit, or over the ratio.
    """
    ratio = settings.UPLOAD_UNPACKED_RATIO_MAX
    if unpacked_bytes > settings.UPLOAD_UNPACKED_BYTES_MAX or (
        unpacked_bytes > _RATIO_COUNTS_FROM_BYTES
        and unpacked_bytes > packed_bytes * ratio
    ):
        raise UnpacksTooLarge(
            f"The file unpacks to more than {ratio} times its size or beyond the "
            "site's limit. Split it, or upload it unpacked.",
            field="file",
        )


def check_workbook(stream: IO[bytes]) -> None:
    """Look at the directory of an Excel file before anything of it is unpacked.

    Raises:
        UnpacksTooLarge: the directory announces more than the site's limits.
        UnknownFormat: a ZIP archive that is no workbook.
        BrokenFile: the directory cannot be read.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except (*_BROKEN, OSError, ValueError, NotImplementedError):
        raise BrokenFile("The Excel file is damaged.", field="file") from None
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise UnknownFormat(
            "This is a ZIP archive, not an Excel workbook. Upload the file in it, "
            "or pack it with gzip.",
            field="file",
        )
    for part in parts:
        refuse_bomb(part.file_size, part.compress_size)
    refuse_bomb(
        sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    )
    shared = (
        part.file_size
        for part in parts
        if part.filename.endswith((".xml", ".rels"))
        and not part.filename.startswith("xl/worksheets/")
    )
    if sum(shared) > _SHARED_PARTS_BYTES_MAX:
        raise UnpacksTooLarge(
            "The workbook holds too many different texts. Save it as CSV.", field="file"
        )
