"""Numbers and moments as people and tills spell them, turned into canonical text.

What comes out goes to the one reader of each (``loyalty.engine``), which decides
whether it is a number or a moment at all. Typed cells of Excel are canonical already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loyalty.engine.moments import InvalidMoment
from loyalty.engine.numbers import InvalidNumber
from loyalty.services.tables.workbooks import Typed

BLANKS = " \u00a0\u2007\u2009\u202f"
_WITHOUT_BLANKS = str.maketrans("", "", BLANKS)
_MINUS = str.maketrans("\u2212\u2013", "--")
_THOUSANDS = {
    "": "",
    ".": r"\.",
    ",": ",",
    " ": f"[{BLANKS}]",
    "'": "['\u2019]",
}
_EXAMPLE_DIGITS = ("1", "234", "50")


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """The sign before the decimals and the sign between thousands, if any."""

    decimal: str = "."
    thousands: str = ""

    @property
    def example(self) -> str:
        """Return a number in this style, for people."""
        first, rest, decimals = _EXAMPLE_DIGITS
        return f"{first}{self.thousands}{rest}{self.decimal}{decimals}"


POINT = NumberStyle(".", ",")
COMMA = NumberStyle(",", ".")
NUMBER_STYLES = (
    NumberStyle(".", ""),
    NumberStyle(",", ""),
    COMMA,
    POINT,
    NumberStyle(",", " "),
    NumberStyle(".", " "),
    NumberStyle(".", "'"),
)


@lru_cache(32)
def _pattern(style: NumberStyle) -> re.Pattern[str]:
    thousands = _THOUSANDS[style.thousands]
    grouped = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|" if thousands else ""
    return re.compile(
        rf"([+-]?)({grouped}\d*)(?:{re.escape(style.decimal)}(\d*))?(-?)", re.ASCII
    )


def canonical_number(text: str, style: NumberStyle) -> str:
    """Return a number as the reader of values takes it; ``style`` says how it is spelt.

    A minus may stand behind it, as some tills and SAP write.

    Raises:
        InvalidNumber: it is not spelt so; the sentence shows an example.

    >>> canonical_number("1.234,50", COMMA), canonical_number("12,50-", COMMA)
    ('1234.50', '-12.50')
    """
    if isinstance(text, Typed):
        return text
    trimmed = text.strip().translate(_MINUS)
    match = _pattern(style).fullmatch(trimmed)
    if match is None or not (match[2] or match[3]) or (match[1] and match[4]):
        raise InvalidNumber(
            f"“{text[:40]}” is not a number like {style.example}, which is how this "
            "file's numbers are read."
        )
    sign, whole, decimals, behind = match.groups()
    digits = re.sub(r"\D", "", whole) or "0"
    minus = "-" if "-" in (sign, behind) else ""
    return f"{minus}{digits}.{decimals}" if decimals else f"{minus}{digits}"


# Exactly three digits behind the only sign: one thousand, or one?
AMBIGUOUS_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)

DATE_FORMATS = {
    "iso": "2026-11-29 16:22 (year, month, day)",
    "dmy": "29.11.2026 16:22 (day, month, year)",
    "mdy": "11/29/2026 4:22 PM (month, day, year)",
    "ymd": "2026/11/29 16:22 or 20261129 (year, month, day)",
}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv ene gen sty",
            "feb fev fevr lut",
            "mar mars mrz marz maerz",
            "apr avr abr kwi",
            "may mai mei maj mag",
            "jun juin giu cze",
            "jul juil lug lip",
            "aug aout ago sie",
            "sep sept set wrz",
            "oct okt out ott paz",
            "nov lis",
            "dec dez dic gru",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = (
    r"(?:[T,]?\s*(?P<hour>\d{1,2})[:.h](?P<minute>\d\d)(?:[:.](?P<second>\d\d)"
    r"(?P<fraction>[.,]\d+)?)?\s*(?:Uhr)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<offset>[Zz]|[+-]\d\d:?\d\d)?)?"
)
_SEPARATOR = r"[./\-\s]\s*"
_DATES = {
    "dmy": rf"(?P<day>\d{{1,2}}){_SEPARATOR}(?P<month>\d{{1,2}}|[^\W\d]{{3,9}}\.?)"
    rf"{_SEPARATOR}(?P<year>\d{{4}}|\d\d)",
    "mdy": rf"(?P<month>\d{{1,2}}|[^\W\d]{{3,9}}\.?){_SEPARATOR}(?P<day>\d{{1,2}})"
    rf"(?:,\s*|{_SEPARATOR})(?P<year>\d{{4}}|\d\d)",
    "ymd": r"(?P<year>\d{4})[./\-]?(?P<month>\d\d)[./\-]?(?P<day>\d\d)",
}
_PATTERNS = {
    name: re.compile(rf"{pattern}(?:\s*{_TIME})?", re.ASCII | re.IGNORECASE)
    for name, pattern in _DATES.items()
}
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d.*)?", re.ASCII)
_HAS_TIME = re.compile(r"\d{1,2}[:h]\d\d|\s\d{1,2}\.\d\d\b", re.ASCII)
_NUMERIC_DATE = re.compile(
    r"\s*(\d{1,2})[./\-]\s?(\d{1,2})[./\-]\s?(\d{4}|\d\d)\b", re.ASCII
)


def canonical_moment(text: str, date_format: str) -> str:
    """Return a moment as RFC 3339 text without a zone, or with the one it names.

    Args:
        text: a date and a time of day, in the order of ``date_format``; a year of
            two digits is of this century.
        date_format: one of ``DATE_FORMATS``.

    Raises:
        InvalidMoment: it is not written so, or has no time of day.

    >>> canonical_moment("29.11.2026 16:22", "dmy")
    '2026-11-29T16:22:00'
    >>> canonical_moment("11/29/26 4:22 PM", "mdy")
    '2026-11-29T16:22:00'
    """
    written = text.strip()
    if date_format == "iso" or isinstance(text, Typed) or _ISO.fullmatch(written):
        if len(written) == 10:
            raise _no_time(written)
        return written
    match = _PATTERNS[date_format].fullmatch(written)
    month = _month_of(match["month"]) if match else 0
    if match is None or not month:
        raise InvalidMoment(
            f"“{text[:60]}” is not a date and time like "
            f"{DATE_FORMATS[date_format].split(' (')[0]}."
        )
    if match["hour"] is None:
        raise _no_time(written)
    year = int(match["year"])
    year += 2000 if year < 100 else 0
    day = f"{year:04d}-{month:02d}-{int(match['day']):02d}"
    return f"{day}T{_time_of(match, text)}{match['offset'] or ''}"


def _no_time(text: str) -> InvalidMoment:
    return InvalidMoment(
        f"“{text[:60]}” has no time of day. Match the column that holds it, or set one "
        "time for all rows."
    )


def _month_of(text: str) -> int:
    if text.isdigit():
        return int(text)
    plain = text.lower().rstrip(".").replace("ä", "a").replace("é", "e")
    plain = plain.replace("û", "u")
    return (
        _MONTHS.get(plain, 0) or _MONTHS.get(plain[:4], 0) or _MONTHS.get(plain[:3], 0)
    )


def _time_of(match: re.Match[str], text: str) -> str:
    hour = int(match["hour"])
    half = (match["half"] or "").lower().replace(".", "")
    if half and not 1 <= hour <= 12:
        raise InvalidMoment(f"“{text[:60]}” is not a valid time of day.")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    fraction = (match["fraction"] or "").replace(",", ".")
    return f"{hour:02d}:{match['minute']}:{match['second'] or '00'}{fraction}"


def has_time(text: str) -> bool:
    """Return whether a date is written with a time of day.

    >>> has_time("29.11.2026 16:22"), has_time("29.11.2026")
    (True, False)
    """
    return _HAS_TIME.search(text) is not None


def first_two(text: str) -> tuple[int, int] | None:
    """Return the first two numbers of a date whose order must be known.

    >>> first_two("01/02/2026 10:00"), first_two("2026-01-02")
    ((1, 2), None)
    """
    match = _NUMERIC_DATE.match(text)
    return (int(match[1]), int(match[2])) if match else None


def joined_moment(day: str, time: str) -> str:
    """Return a date and a time of day from two columns as one text."""
    if isinstance(day, Typed):
        return Typed(f"{day[:10]}T{time.strip()}")
    return f"{day.strip()} {time.strip()}"
