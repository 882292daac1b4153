"""What a benchmark found, and the table of all that."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_HEADINGS = ("measure", "value", "reference", "ratio", "aim", "")


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table, ready to be printed.

    ``value`` and ``reference`` bear their units. ``is_met`` is None where there is
    no aim: the row is told for information.
    """

    name: str
    value: str
    reference: str = ""
    ratio: str = ""
    aim: str = ""
    is_met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row."""
        verdict = "" if self.is_met is None else "met" if self.is_met else "MISSED"
        return (
            self.name,
            self.value,
            self.reference,
            self.ratio,
            self.aim,
            verdict,
        )


def at_least(
    name: str, value: float, reference: float, aim: float, unit: str
) -> Measure:
    """Return the measure of a rate that should reach a share of another."""
    ratio = value / reference
    return Measure(
        name,
        f"{value:,.0f} {unit}",
        f"{reference:,.0f} {unit}",
        f"{ratio:.2f}",
        f"≥ {aim:g}",
        ratio >= aim,
    )


def at_most(
    name: str, value: float, reference: float, aim: float, unit: str
) -> Measure:
    """Return the measure of a cost that should stay near another."""
    ratio = value / reference
    return Measure(
        name,
        f"{value:,.3g} {unit}",
        f"{reference:,.3g} {unit}",
        f"{ratio:.2f}",
        f"≤ {aim:g}",
        ratio <= aim,
    )


def say(text: str) -> None:
    """Tell whoever watches what is going on, beside the results."""
    print(text, file=sys.stderr, flush=True)


def save(measures: list[Measure], path: Path) -> None:
    """Keep measures for the process that prints the table."""
    path.write_text(json.dumps([asdict(one) for one in measures]))


def load(path: Path) -> list[Measure]:
    """Return the measures kept in a file."""
    return [Measure(**one) for one in json.loads(path.read_text())]


def table(measures: list[Measure]) -> str:
    """Return all measures as one table."""
    rows = [_HEADINGS, *(one.cells for one in measures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers, verdict = cells
    middle = [
        number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)
    ]
    return "  ".join([name.ljust(widths[0]), *middle, verdict.ljust(widths[-1])])
