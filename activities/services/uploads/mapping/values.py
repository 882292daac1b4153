"""A mapping: how the columns and cells of a kind of file are read."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from activities.services.uploads.layout import (
    HEAD_COLUMNS,
    ITEM_COLUMNS,
    KNOWN_COLUMNS,
    REFUSED_COLUMNS,
    REQUIRED_COLUMNS,
    known_name,
)
from activities.services.uploads.mapping.spelling import (
    DATE_FORMATS,
    NUMBER_STYLES,
    NumberStyle,
)
from loyalty.errors import LoyaltyError
from loyalty.services.tables.dialects import DELIMITERS, ENCODINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = {
    "key": "receipt number",
    "member": "member",
    "occurred_at": "date and time",
    "time": "time of day",
    "type": "what the member did",
    "channel": "channel",
    "business_unit": "business unit",
    "value": "value",
    "currency": "currency",
    "item_id": "product",
    "item_value": "value of the product",
    "item_quantity": "quantity of the product",
    "item_group": "product group",
}
KEEP = "data"
TIME = "time"
# What a column can be; KEEP keeps it with the activity, "" leaves it out.
FIELDS = (*HEAD_COLUMNS[:3], TIME, *HEAD_COLUMNS[3:], *ITEM_COLUMNS, KEEP, "")
CONSTANTS = (TIME, "type", "channel", "business_unit", "currency")
TRANSLATED = ("type", "channel", "business_unit", "currency")
PADDED = ("member", "item_id")
WIDTH_MAX = 40
ANSWERS = {
    "scientific": ("refuse", "keep"),
    "point_zero": ("drop", "keep", "refuse"),
    "similar_members": ("match", "enrol", "refuse"),
}
_ENCODINGS = (*ENCODINGS, "utf-16-le", "utf-16-be")
_TEXT_MAX = 255
_ENTRIES_MAX = 1_000


class InvalidMapping(LoyaltyError):
    """A mapping names something that it cannot; ``field`` says where."""

    code = "invalid_mapping"


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file is read. Empty texts leave a matter undecided, so it is asked.

    ``columns`` says which field each column of the header is; ``constants`` what
    holds for every row; ``translations`` which code a text stands for; ``widths``
    to how many digits numbers of members or items are filled up with zeros;
    ``answers`` what was decided about cells that are unsure.
    """

    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
    date_format: str = ""
    zone: str = ""
    decimal_sign: str = ""
    thousands_sign: str = ""
    encoding: str = ""
    delimiter: str = ""
    identity_kind: str = ""
    widths: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def style(self) -> NumberStyle | None:
        """Return how numbers are spelt; None if that is undecided."""
        if not self.decimal_sign:
            return None
        return NumberStyle(self.decimal_sign, self.thousands_sign)

    def named(self, name: str) -> list[str]:
        """Return the columns that are the field ``name``."""
        return [column for column, one in self.columns.items() if one == name]

    def missing(self, *, has_default_type: bool) -> list[str]:
        """Return the fields that every activity needs and nothing gives."""
        given = {*self.columns.values(), *self.constants}
        needed = [*REQUIRED_COLUMNS, *(() if has_default_type else ("type",))]
        if given & {*ITEM_COLUMNS}:
            needed.append("item_id")
        return [name for name in needed if name not in given]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, which ``mapping_of`` reads."""
        return asdict(self)

    def answered(self, answers: dict[str, str]) -> Mapping:
        """Return the mapping with questions answered.

        Raises:
            InvalidMapping: a question or an answer that does not exist.
        """
        changed = self
        kept = dict(self.answers)
        for question, answer in answers.items():
            if question == "numbers" and answer in _STYLE_ANSWERS:
                style = _STYLE_ANSWERS[answer]
                changed = replace(
                    changed,
                    decimal_sign=style.decimal,
                    thousands_sign=style.thousands,
                )
            elif question == "dates" and answer in ("dmy", "mdy"):
                changed = replace(changed, date_format=answer)
            elif answer in ANSWERS.get(question, ()):
                kept[question] = answer
            else:
                raise InvalidMapping(
                    f"“{answer[:40]}” is not an answer to “{question[:40]}”.",
                    field=f"answers/{question}",
                )
        return replace(changed, answers=kept)


_STYLE_ANSWERS = {
    "comma": NumberStyle(",", "."),
    "point": NumberStyle(".", ","),
}


def fingerprint_of(header: Sequence[str]) -> str:
    """Return what tells headers apart: their names, in any order and case."""
    names = sorted(
        {
            unicodedata.normalize("NFKC", one).strip().casefold()
            for one in header
            if known_name(one) not in REFUSED_COLUMNS
        }
    )
    return hashlib.sha256("\n".join(filter(None, names)).encode()).hexdigest()


def mapping_of(content: dict[str, Any]) -> Mapping:
    """Return the mapping that JSON holds.

    Raises:
        InvalidMapping: a member that is unknown, or of the wrong kind or value.
    """
    known = Mapping.__dataclass_fields__
    for name in content:
        if name not in known:
            raise InvalidMapping(f"Unknown field “{name[:60]}”.", field=name[:60])
    mapping = Mapping(
        columns=_texts(content, "columns"),
        constants=_texts(content, "constants"),
        translations={
            name: _texts(_objects(content, "translations"), name, of="translations/")
            for name in _objects(content, "translations")
        },
        widths=_widths(content),
        answers=_texts(content, "answers"),
        **{
            name: _text(content, name)
            for name in (
                "date_format",
                "zone",
                "decimal_sign",
                "thousands_sign",
                "encoding",
                "delimiter",
                "identity_kind",
            )
        },
    )
    _refuse_impossible(mapping)
    return mapping


def read_mapping(content: dict[str, Any]) -> Mapping:
    """Return a stored mapping; an empty one is the native format."""
    return mapping_of(content) if content else Mapping()


def _refuse_impossible(mapping: Mapping) -> None:
    _check_columns(mapping)
    _one_of(mapping.date_format, ("", *DATE_FORMATS), "date_format")
    _one_of(mapping.encoding, ("", *_ENCODINGS), "encoding")
    _one_of(mapping.delimiter, ("", *DELIMITERS), "delimiter")
    if mapping.zone and mapping.zone not in available_timezones():
        raise InvalidMapping(f"“{mapping.zone}” is not a time zone.", field="zone")
    if mapping.style is not None and mapping.style not in NUMBER_STYLES:
        raise InvalidMapping(
            "These signs of decimals and thousands do not go together.",
            field="decimal_sign",
        )
    if mapping.style is None and mapping.thousands_sign:
        raise InvalidMapping(
            "A sign between thousands needs a decimal sign.", field="decimal_sign"
        )
    for question, answer in mapping.answers.items():
        _one_of(answer, ANSWERS.get(question, ()), f"answers/{question}")


def _check_columns(mapping: Mapping) -> None:
    for column, name in mapping.columns.items():
        _one_of(name, FIELDS, f"columns/{column}")
    for name in KNOWN_COLUMNS:
        columns = mapping.named(name)
        if len(columns) > 1:
            raise InvalidMapping(
                f"Two columns cannot both be “{name}”: “{columns[0]}” and "
                f"“{columns[1]}”.",
                field=f"columns/{columns[1]}",
            )
        if columns and name in mapping.constants:
            raise InvalidMapping(
                f"“{name}” is the column “{columns[0]}” and has a fixed value too.",
                field=f"constants/{name}",
            )
    for name in mapping.constants:
        _one_of(name, CONSTANTS, "constants")
    for name in mapping.translations:
        _one_of(name, TRANSLATED, "translations")


def _one_of(value: str, known: Sequence[str], where: str) -> None:
    if value not in known:
        shown = ", ".join(f"“{one}”" for one in known)
        raise InvalidMapping(
            f"“{value[:60]}” is not one of {shown or 'the known names'}.",
            field=where[:200],
        )


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise InvalidMapping("Must be text of at most 255 characters.", field=name)
    return value


def _objects(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    value = {} if value is None else value
    if not isinstance(value, dict) or len(value) > _ENTRIES_MAX:
        raise InvalidMapping(
            f"Must be an object of at most {_ENTRIES_MAX:,} members.", field=name
        )
    return value


def _texts(content: dict[str, Any], name: str, *, of: str = "") -> dict[str, str]:
    found = _objects(content, name)
    for one, value in found.items():
        if not isinstance(value, str) or max(len(value), len(one)) > _TEXT_MAX:
            raise InvalidMapping(
                "Must be text of at most 255 characters.",
                field=f"{of}{name}/{one}"[:200],
            )
    return dict(found)


def _widths(content: dict[str, Any]) -> dict[str, int]:
    found = _objects(content, "widths")
    for name, width in found.items():
        is_whole = isinstance(width, int) and not isinstance(width, bool)
        if name not in PADDED or not is_whole or not 0 <= width <= WIDTH_MAX:
            raise InvalidMapping(
                f"Must be “member” or “item_id” with 0 to {WIDTH_MAX} digits.",
                field=f"widths/{name}"[:200],
            )
    return {name: width for name, width in found.items() if width}


def zone_of(mapping: Mapping) -> ZoneInfo | None:
    """Return the zone that the mapping names; None if it names none."""
    return ZoneInfo(mapping.zone) if mapping.zone else None
