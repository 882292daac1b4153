"""Consecutive rows that make one activity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from activities.services.uploads.refusals import BrokenLine, RowRefused, TooManyItems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ITEMS_MAX = 10_000
# The lines of one activity are held in memory together.
_GROUP_CHARACTERS_MAX = 20 * 1024 * 1024

Cells = list[Any]


class BadRow(NamedTuple):
    """A row that cannot be read; ``key`` is None if even that is unsure."""

    error: RowRefused
    cells: Cells
    key: Any = None


def bare(error: RowRefused) -> RowRefused:
    """Return the error without the frames that it was raised from.

    They would hold the line that was read, until somebody looks for cycles.
    """
    error.__traceback__ = error.__context__ = None
    return error


class Group:
    """The rows of one activity, or what is wrong with them."""

    __slots__ = ("_size", "line_numbers", "problem", "rows")

    def __init__(self, line: int, row: Cells) -> None:
        self._size = 0
        self.line_numbers = [line]
        self.rows = [row]
        self.problem: tuple[int, RowRefused] | None = None

    def add(self, line: int, row: Cells) -> None:
        """Add a line; too many, or too large ones, are refused and not kept."""
        self._size += _size_of(row)
        if self._size > _GROUP_CHARACTERS_MAX:
            self._refuse_large(line)
        elif len(self.rows) < ITEMS_MAX:
            self.line_numbers.append(line)
            self.rows.append(row)
        elif self.problem is None:
            error = TooManyItems(
                f"An activity has at most {ITEMS_MAX:,} line items.", field="item_id"
            )
            self.problem = (line, error)

    def _refuse_large(self, line: int) -> None:
        if self.problem is None:
            error = TooManyItems(
                "The lines of this activity hold more than 20 MB.", field="item_id"
            )
            self.problem = (line, error)
        # What is kept shows which activity it was.
        del self.rows[1:], self.line_numbers[1:]

    def spoil(self, line: int, error: RowRefused) -> None:
        """Refuse the activity for its row on ``line``; the first reason stays."""
        if self.problem is None:
            self.problem = (line, error)


def _size_of(row: Cells) -> int:
    return sum([len(cell) for cell in row if type(cell) is str])


def single_rows(rows: Iterable[tuple[int, Cells | BadRow]]) -> Iterator[Group]:
    """Yield each row as an activity of its own."""
    for line, row in rows:
        if type(row) is BadRow:
            yield _bad_group(line, row)
        else:
            yield Group(line, row)  # type: ignore[arg-type]


def rows_by_key(
    rows: Iterable[tuple[int, Cells | BadRow | Group]], key_at: int
) -> Iterator[Group]:
    """Yield the activities of a file with one row for each line item.

    A row that cannot be read spoils the activity it belongs to: a basket is
    recorded whole or not at all. If it does not even show its key, both its
    neighbours are refused. A ``Group`` among the rows is whole already.
    """
    grouper = _Grouper()
    for line, row in rows:
        if type(row) is list:
            key = row[key_at]
            if key and key == grouper.key:
                grouper.group.add(line, row)
            else:
                yield from grouper.begin(key, Group(line, row))
        elif type(row) is BadRow:
            yield from grouper.meet_bad_row(line, row)
        else:
            yield from grouper.close()
            yield row  # type: ignore[misc]
    yield from grouper.close()


class _Grouper:
    """The activity whose rows are being read; ``key`` is "" if none is open."""

    __slots__ = ("group", "is_open", "key", "unsure_line")

    def __init__(self) -> None:
        self.key: Any = ""
        self.group = Group(0, [])
        self.is_open = False
        self.unsure_line: int | None = None

    def begin(self, key: Any, group: Group) -> Iterator[Group]:
        """Finish the open activity and open another."""
        unsure_line = self.unsure_line
        yield from self.close()
        self.key, self.group, self.is_open = key, group, True
        if unsure_line is not None:
            group.spoil(group.line_numbers[0], _next_to(unsure_line))

    def meet_bad_row(self, line: int, row: BadRow) -> Iterator[Group]:
        """Spoil the activity that the row belongs to, or may belong to."""
        if row.key is None:
            if self.is_open:
                self.group.spoil(self.group.line_numbers[0], _next_to(line))
            yield from self.close()
            yield _bad_group(line, row)
            self.unsure_line = line
            return
        if row.key and row.key == self.key:
            self.group.add(line, row.cells)
        else:
            yield from self.begin(row.key, Group(line, row.cells))
        self.group.spoil(line, row.error)

    def close(self) -> Iterator[Group]:
        """Finish the open activity, if any."""
        if self.is_open:
            yield self.group
        self.key, self.is_open, self.unsure_line = "", False, None


def _bad_group(line: int, row: Any) -> Group:
    group = Group(line, row.cells)
    group.problem = (line, row.error)
    return group


def _next_to(line: int) -> BrokenLine:
    return BrokenLine(
        f"Line {line} next to it cannot be read and may belong to this activity."
    )
