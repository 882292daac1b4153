"""Keeping refused rows: all are counted, the first ten thousand are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from django.db import connection

from loyalty.ledger.holdings import copy_lines, copy_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activities.services.uploads.normalising import Refusal

REFUSALS_KEPT_MAX = 10_000
_RAW_BYTES_MAX = 256 * 1024


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


def _json(raw: list[dict[str, object]]) -> str:
    text = orjson.dumps(raw, option=orjson.OPT_NON_STR_KEYS, default=str)
    if len(text) > _RAW_BYTES_MAX:
        text = orjson.dumps(raw[:1])
        if len(text) > _RAW_BYTES_MAX:
            return "[]"
    return text.decode().replace("\\u0000", "\\ufffd")


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")
