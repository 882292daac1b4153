"""Guessing how a file is read, from its header and its first rows.

A guess is shown to people before it counts. What could be read in two ways stays
undecided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activities.services.uploads.layout import (
    KNOWN_COLUMNS,
    REFUSED_COLUMNS,
    known_name,
)
from activities.services.uploads.mapping.spelling import (
    AMBIGUOUS_NUMBER,
    BLANKS,
    COMMA,
    POINT,
    NumberStyle,
    canonical_moment,
    canonical_number,
    first_two,
    has_time,
    joined_moment,
)
from activities.services.uploads.mapping.synonyms import (
    PURCHASE_WORDS,
    field_of,
    plain,
)
from activities.services.uploads.mapping.values import KEEP, TIME, Mapping
from loyalty.engine.moments import InvalidMoment
from loyalty.engine.numbers import InvalidNumber
from loyalty.services.tables.dialects import Dialect
from loyalty.services.tables.workbooks import Typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VALUES = ("value", "item_value", "item_quantity")
# What most of a column must be before it is taken for that.
_MOST = 0.9
_PURCHASE = "PURCHASE"


@dataclass(frozen=True, slots=True)
class Sample:
    """The header and the first rows of a file, with their lines."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    dialect: Dialect = field(default_factory=Dialect)

    def column(self, place: int) -> list[str]:
        """Return the cells of a column that are not empty."""
        cells = (row[place] for _, row in self.rows if place < len(row))
        return [cell for cell in cells if cell.strip()]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a program calls things: names by code, kinds of identities.

    ``member_width`` is the one number of digits that its members' numbers have, 0
    if they differ or are not digits.
    """

    codes: dict[str, dict[str, str]]
    identity_kinds: tuple[str, ...] = ()
    member_width: int = 0


def guess(sample: Sample, vocabulary: Vocabulary) -> Mapping:
    """Return how the file is probably read; what is unsure is left empty."""
    fields = _fields(sample)
    _tell_time_from_moment(sample, fields)
    _tell_item_from_receipt(sample, fields)
    translations = _translations(sample, fields, vocabulary)
    style = guess_style(_cells(sample, fields, _VALUES))
    constants: dict[str, str] = {}
    types = vocabulary.codes.get("type", {})
    if "type" not in fields.values() and len(types) == 1:
        constants["type"] = next(iter(types))
    return Mapping(
        columns={
            name: fields.get(place, KEEP)
            for place, name in enumerate(sample.header)
            if name
        },
        constants=constants,
        translations=translations,
        date_format=guess_date_format(moments_of(sample, fields)),
        decimal_sign=style.decimal if style else "",
        thousands_sign=style.thousands if style else "",
        encoding=sample.dialect.encoding,
        delimiter=sample.dialect.delimiter,
        identity_kind=_identity_kind(sample, fields, vocabulary),
        widths=_widths(sample, fields, vocabulary),
    )


def _fields(sample: Sample) -> dict[int, str]:
    """Return the field of each column that has one, each field once."""
    fields: dict[int, str] = {}
    for place, name in enumerate(sample.header):
        known = known_name(name)
        if known in REFUSED_COLUMNS:
            fields[place] = ""
        elif known in KNOWN_COLUMNS and known not in fields.values():
            fields[place] = known
    for place, name in enumerate(sample.header):
        found = field_of(name)
        if found and place not in fields and found not in fields.values():
            fields[place] = found
    return fields


def _place(fields: dict[int, str], name: str) -> int | None:
    return next((place for place, one in fields.items() if one == name), None)


def _cells(sample: Sample, fields: dict[int, str], names: Iterable[str]) -> list[str]:
    places = [place for place, one in fields.items() if one in names]
    return [cell for place in places for cell in sample.column(place)]


def _tell_time_from_moment(sample: Sample, fields: dict[int, str]) -> None:
    """A column called “time” that holds dates is the moment, if no other is."""
    place = _place(fields, TIME)
    if place is None or _place(fields, "occurred_at") is not None:
        return
    if any(re.search(r"\d{4}", cell) for cell in sample.column(place)):
        fields[place] = "occurred_at"


def _tell_item_from_receipt(sample: Sample, fields: dict[int, str]) -> None:
    """The one amount of a file with products is the product's if it differs."""
    key, value = _place(fields, "key"), _place(fields, "value")
    has_items = _place(fields, "item_id") is not None
    if not has_items or _place(fields, "item_value") is not None:
        return
    if key is None or value is None:
        return
    seen: dict[str, str] = {}
    for _, row in sample.rows:
        is_whole = len(row) > max(key, value)
        if is_whole and seen.setdefault(row[key], row[value]) != row[value]:
            fields[value] = "item_value"
            return


def _translations(
    sample: Sample, fields: dict[int, str], vocabulary: Vocabulary
) -> dict[str, dict[str, str]]:
    """Return codes for texts; a channel or unit that nobody knows is no such column."""
    translations: dict[str, dict[str, str]] = {}
    for name in ("type", "channel", "business_unit"):
        place = _place(fields, name)
        if place is None:
            continue
        codes = vocabulary.codes.get(name, {})
        texts = list(dict.fromkeys(map(str.strip, sample.column(place))))
        found = {
            text: code_of(text, codes, name) for text in texts if text not in codes
        }
        known = {text: code for text, code in found.items() if code}
        if name != "type" and not known and not any(one in codes for one in texts):
            fields[place] = KEEP
        elif known:
            translations[name] = known
    return translations


def code_of(text: str, codes: dict[str, str], name: str) -> str:
    """Return the code that a text probably stands for, "" if none does."""
    wanted = plain(text)
    for code, label in codes.items():
        if wanted and wanted in (plain(code), plain(label)):
            return code
    if name == "type" and _PURCHASE in codes and wanted in PURCHASE_WORDS:
        return _PURCHASE
    return ""


def moments_of(sample: Sample, fields: dict[int, str]) -> list[str]:
    """Return the moments of the sample, of one column or of two."""
    day, time = _place(fields, "occurred_at"), _place(fields, TIME)
    if day is None:
        return []
    if time is None:
        return sample.column(day)
    return [
        joined_moment(row[day], row[time])
        for _, row in sample.rows
        if len(row) > max(day, time) and row[day].strip()
    ]


def guess_style(cells: Sequence[str]) -> NumberStyle | None:
    """Return how numbers are spelt; None if they could be read in two ways.

    >>> guess_style(["12,50", "1.234,50"]).example, guess_style(["1.000", "12,50"])
    ('1.234,50', None)
    """
    texts = [text.strip() for text in cells if not isinstance(text, Typed)]
    if any(AMBIGUOUS_NUMBER.fullmatch(text) for text in texts):
        return None
    commas = sum(_decimal_of(text) == "," for text in texts)
    points = sum(_decimal_of(text) == "." for text in texts)
    if commas and points:
        return None
    joined = "".join(texts)
    if "'" in joined or "\u2019" in joined:
        return NumberStyle(".", "'")
    if commas:
        has_blanks = any(re.search(rf"\d[{BLANKS}]\d", text) for text in texts)
        return NumberStyle(",", " ") if has_blanks else COMMA
    return POINT if "," in joined else NumberStyle(".", "")


def _decimal_of(text: str) -> str:
    """Return the sign before the decimals: the last one, if it stands once."""
    signs = [one for one in text if one in ".,"]
    if not signs or signs.count(signs[-1]) > 1:
        return ""
    return signs[-1]


def guess_date_format(texts: Sequence[str]) -> str:
    """Return how moments are written; "" if day and month could be either.

    >>> guess_date_format(["29.11.2026 16:22"]), guess_date_format(["01/02/2026 9:00"])
    ('dmy', '')
    """
    if not texts:
        return "iso"
    shares = {name: _share(texts, name) for name in ("iso", "ymd", "dmy", "mdy")}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < 0.5:
        return ""
    if best not in ("dmy", "mdy"):
        return best
    if shares["dmy"] == shares["mdy"] and not any(_has_points(text) for text in texts):
        return ""
    return "dmy" if shares["dmy"] >= shares["mdy"] else "mdy"


def _has_points(text: str) -> bool:
    # Nobody writes the month first and points behind it.
    return re.match(r"\s*\d{1,2}\.\s?\d{1,2}\.", text) is not None


def _share(texts: Sequence[str], date_format: str) -> float:
    return sum(_is_moment(text, date_format) for text in texts) / len(texts)


def _is_moment(text: str, date_format: str) -> bool:
    pair = first_two(text)
    if pair and (pair[1] if date_format == "dmy" else pair[0]) > 12:
        return False
    try:
        written = text if has_time(text) or len(text) > 15 else f"{text.strip()} 12:00"
        found = canonical_moment(written, date_format)
    except InvalidMoment:
        return False
    return re.match(r"\d{4}-\d\d-\d\d[T ]\d", found) is not None


def _identity_kind(
    sample: Sample, fields: dict[int, str], vocabulary: Vocabulary
) -> str:
    cells = _cells(sample, fields, ("member",))
    if not cells or sum("@" in cell for cell in cells) < len(cells) * _MOST:
        return ""
    return "email" if "email" in vocabulary.identity_kinds else ""


def _widths(
    sample: Sample, fields: dict[int, str], vocabulary: Vocabulary
) -> dict[str, int]:
    cells = [cell.strip() for cell in _cells(sample, fields, ("member",))]
    width = vocabulary.member_width
    if not width or not all(cell.isdigit() and len(cell) <= width for cell in cells):
        return {}
    return {"member": width} if any(len(cell) < width for cell in cells) else {}


def is_spelled_natively(sample: Sample, mapping: Mapping) -> bool:
    """Return whether moments and numbers are written as the native format has them.

    What is merely wrong in some rows is for the check to refuse; only a column that
    another spelling reads as a whole is spelt otherwise.
    """
    fields = {
        place: mapping.columns.get(name, "") for place, name in enumerate(sample.header)
    }
    moments = moments_of(sample, fields)
    if moments and mapping.date_format not in ("iso", "") and not _any_native(moments):
        return False
    if moments and not mapping.date_format and all(map(first_two, moments)):
        return False
    numbers = _cells(sample, fields, _VALUES)
    style = mapping.style
    if style is None or style.decimal == ".":
        return True
    commas = sum("," in text and _fits(text, style) for text in numbers)
    # One number with a comma beside cells parted by commas is rather a mistake.
    enough = 1 if sample.dialect.delimiter == ";" else 2
    return commas < max(enough, len(numbers) * 0.5)


def _any_native(moments: Sequence[str]) -> bool:
    return any(_is_moment(text, "iso") for text in moments)


def _fits(text: str, style: NumberStyle) -> bool:
    try:
        canonical_number(text, style)
    except InvalidNumber:
        return False
    return True
