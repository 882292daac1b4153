"""Reading Parquet files, a few thousand rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from loyalty.services.tables.files import refuse_bomb
from loyalty.services.tables.refusals import BrokenFile, UnpacksTooLarge
from loyalty.services.tables.workbooks import float_text, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from activities.services.uploads.groups import Cells

_ROWS_AT_ONCE = 8_192
# A column of one value packs well; a file of nothing else is no file of activities.
_ROWS_PER_BYTE_MAX = 100
_ROWS_COUNT_FROM = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file of typed cells being read: header, rows by number, how far it is."""

    names: list[str]
    rows: Iterator[tuple[int, Cells]]
    fraction_read: Callable[[], float]


def parquet_source(stream: IO[bytes], look: Callable[[], None]) -> Source:
    """Open a Parquet file; ``look`` is called between its parts.

    Raises:
        BrokenFile: it cannot be read, here or while its rows are.
        UnpacksTooLarge: it says that it unpacks to far more than it is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Buffered and unthreaded: a page at a time, not a row group at a time.
        file = pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
        names = list(file.schema_arrow.names)
        total = int(file.metadata.num_rows)
        _refuse_bombs(file.metadata, look)
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise BrokenFile("The Parquet file is damaged.", field="file") from None
    size = stream.seek(0, 2)
    if total > max(size * _ROWS_PER_BYTE_MAX, _ROWS_COUNT_FROM):
        raise UnpacksTooLarge(
            f"The file says that its {size:,} bytes hold {total:,} rows. Split it, or "
            "upload it as CSV.",
            field="file",
        )
    done = [0]
    rows = _rows(file, names, done, look)
    return Source(names, rows, lambda: min(done[0] / total, 1.0) if total else 1.0)


def _refuse_bombs(metadata: Any, look: Callable[[], None]) -> None:
    for number in range(metadata.num_row_groups):
        look()
        group = metadata.row_group(number)
        packed = sum(
            group.column(place).total_compressed_size
            for place in range(group.num_columns)
        )
        refuse_bomb(group.total_byte_size, packed)


def _rows(
    file: Any, names: list[str], done: list[int], look: Callable[[], None]
) -> Iterator[tuple[int, Cells]]:
    import pyarrow as pa

    batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False)
    while True:
        look()
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            raise BrokenFile(
                f"The Parquet file is damaged after row {done[0]}.", field="file"
            ) from None
        if batch is None:
            return
        columns = [
            _texts(name, column)
            for name, column in zip(names, batch.columns, strict=True)
        ]
        yield from enumerate(map(list, zip(*columns, strict=True)), done[0] + 1)
        done[0] += batch.num_rows


def _texts(name: str, column: Any) -> list[str]:
    import pyarrow as pa

    try:
        column = _readable(column)
        for bits, narrow in ((16, pa.float16()), (32, pa.float32())):
            if column.type == narrow:
                wide = column.cast(pa.float64()).to_pylist()
                return ["" if one is None else float_text(one, bits) for one in wide]
        values = column.to_pylist()
        if pa.types.is_string(column.type):
            return [value or "" for value in values]
        return [text_of(value) for value in values]
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        # Among them: a date beyond the year 9999, and bytes that are not UTF-8.
        raise BrokenFile(
            f"The column “{name}” holds values that cannot be read (its type in the "
            f"file is {column.type}). Write it as text and upload the file again.",
            field=name[:60],
        ) from None


def _readable(column: Any) -> Any:
    """Return the column in a type that becomes text without loss."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if _is_text(kind):
        # Bytes that nobody marked as text are text if they are UTF-8.
        column = column.cast(pa.string())
        column.validate(full=True)
    elif pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_time64(kind) and kind.unit == "ns":
        column = column.cast(pa.time64("us"), safe=False)
    elif pa.types.is_duration(kind):
        raise TypeError("A duration is not a moment in time.")
    return column


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return any(
        is_kind(kind)
        for is_kind in (
            *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
            *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
            pa.types.is_fixed_size_binary,
        )
    )
