"""The first rows of a file, taken once and stored with its upload."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from activities.services.uploads.mapping.guessing import Sample
from activities.services.uploads.mapping.translating import distinct
from loyalty.services.tables.dialects import Dialect
from loyalty.services.tables.workbooks import Typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activities.models import Upload
    from activities.services.uploads.groups import Cells

SAMPLE_ROWS = 1_000
_STORED_ROWS = 60
_CELL_CHARACTERS = 200


def sample_of(
    header: list[str], rows: Iterator[tuple[int, Any]], dialect: Dialect
) -> Sample:
    """Return the header and the first whole rows of a file."""
    whole: list[tuple[int, Cells]] = [
        (line, row) for line, row in islice(rows, SAMPLE_ROWS) if type(row) is list
    ]
    return Sample(distinct(header), whole, dialect)


def sample_as_json(sample: Sample) -> dict[str, Any]:
    """Return the first rows of a sample, to be shown again without the file."""
    rows = [
        {
            "line": line,
            "cells": [cell[:_CELL_CHARACTERS] for cell in row],
            "typed": [place for place, one in enumerate(row) if type(one) is Typed],
        }
        for line, row in sample.rows[:_STORED_ROWS]
    ]
    return {
        "header": sample.header,
        "rows": rows,
        "encoding": sample.dialect.encoding,
        "delimiter": sample.dialect.delimiter,
    }


def stored_sample(upload: Upload) -> Sample:
    """Return the sample that the check of an upload stored."""
    stored = upload.sample
    rows = []
    for row in stored.get("rows", ()):
        typed = set(row["typed"])
        cells = [
            Typed(cell) if place in typed else cell
            for place, cell in enumerate(row["cells"])
        ]
        rows.append((row["line"], cells))
    dialect = Dialect(stored.get("encoding", "utf-8"), stored.get("delimiter", ","))
    return Sample(list(stored.get("header", ())), rows, dialect)
