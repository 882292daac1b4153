"""Keeping refused rows: all are counted, the first ten thousand are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from loyalty.ledger.holdings import copy_lines, copy_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activities.services.uploads.normalising import Refusal

REFUSALS_KEPT_MAX = 10_000
# What a refused activity said is kept whole up to so much, for all of them up to so
# much; of what is beyond, only the beginning.
_WHOLE_BYTES_MAX = 256 * 1024
_WHOLE_BYTES_MAX_IN_ALL = 256 * 1024 * 1024
_BEGINNING_CHARACTERS = 10_000


def kept_count(upload_id: int) -> int:
    """Return how many refusals of the upload are kept by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM activities_uploadrefusal WHERE upload_id = %s",
            [upload_id],
        )
        return int(cursor.fetchone()[0])


def keep_refusals(upload_id: int, refusals: Iterable[Refusal]) -> None:
    """Write refusals with their rows; the caller minds the limit."""
    copy_lines(
        "activities_uploadrefusal",
        "upload_id, line, field, code, message, raw",
        [
            f"{upload_id}\t{one.line}\t{copy_text(_clean(one.field[:60]))}\t{one.code}\t"
            f"{copy_text(_clean(one.message[:500]))}\t{copy_text(_json(one.raw))}\n"
            for one in refusals
        ],
    )


class RawText:
    """Says how much of refused rows is kept, while a file is read."""

    def __init__(self) -> None:
        self._left = _WHOLE_BYTES_MAX_IN_ALL

    def kept(self, raw: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
        """Return the rows as they are kept, whole or shortened, and their bytes."""
        size = _size_of(raw)
        if size > min(_WHOLE_BYTES_MAX, self._left):
            raw = shortened(raw)
            size = _size_of(raw)
        self._left = max(self._left - size, 0)
        return raw, size


def _size_of(raw: list[dict[str, Any]]) -> int:
    return sum(
        len(str(name)) + (len(cell) if isinstance(cell, str) else len(str(cell)))
        for row in raw
        for name, cell in row.items()
    )


def shortened(raw: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first ten thousand characters of refused rows."""
    left = _BEGINNING_CHARACTERS
    rows = []
    for row in raw:
        kept: dict[str, Any] = {}
        for name, cell in row.items():
            if left <= 0:
                break
            kept[str(name)[:left]] = text = str(cell)[:left]
            left -= len(str(name)) + len(text)
        rows.append(kept)
        if left <= 0:
            break
    return rows


def _json(raw: list[dict[str, Any]]) -> str:
    if _size_of(raw) > _WHOLE_BYTES_MAX:
        raw = shortened(raw)
    text = orjson.dumps(raw, option=orjson.OPT_NON_STR_KEYS, default=str)
    return text.decode().replace("\\u0000", "\\ufffd")


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")
