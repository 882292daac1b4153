"""The first rows of a file as they would be read, with what is wrong beside each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from activities.services.uploads.groups import BadRow, Cells
from activities.services.uploads.mapping.looking import vocabulary_of
from activities.services.uploads.mapping.sampling import stored_sample
from activities.services.uploads.mapping.translating import Translator
from activities.services.uploads.mapping.values import zone_of
from activities.services.uploads.refusals import RowRefused
from loyalty.engine.moments import InvalidMoment, parse_moment
from loyalty.engine.numbers import InvalidNumber, format_value, parse_value
from loyalty.models import Identity

if TYPE_CHECKING:
    from datetime import tzinfo

    from activities.models import Upload
    from activities.services.uploads.mapping.guessing import Vocabulary
    from activities.services.uploads.mapping.values import Mapping

PREVIEW_ROWS = 8
_NUMBERS = ("value", "item_value", "item_quantity")


@dataclass(slots=True)
class PreviewRow:
    """A row: what each field becomes, and a sentence for each that cannot be read."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    is_new_member: bool = False


def preview(
    upload: Upload, mapping: Mapping, *, limit: int = PREVIEW_ROWS
) -> list[PreviewRow]:
    """Return the first rows of the stored sample as ``mapping`` reads them.

    Moments are shown on the program's clock.
    """
    sample = stored_sample(upload)
    translator = Translator(mapping, sample.header)
    reader = _Reader(upload, translator, vocabulary_of(upload))
    rows = [reader.row(line, cells) for line, cells in sample.rows[:limit]]
    _mark_new_members(upload, mapping, rows)
    return rows


class _Reader:
    def __init__(
        self, upload: Upload, translator: Translator, vocabulary: Vocabulary
    ) -> None:
        self._translator = translator
        self._codes = dict(vocabulary.codes)
        default = upload.default_activity_type
        if default is not None:
            self._codes["type"] = {**self._codes.get("type", {}), "": default.name}
        self._zone: tzinfo = ZoneInfo(upload.program.time_zone)
        self._read_in = zone_of(translator.mapping) or self._zone

    def row(self, line: int, cells: Cells | BadRow) -> PreviewRow:
        shown = PreviewRow(line)
        if len(cells) < len(self._translator.header):
            cells = [*cells, *[""] * (len(self._translator.header) - len(cells))]
        for name in self._translator.known:
            try:
                text = self._translator.cell(name, list(cells))
                shown.values[name] = self._shown(name, text)
            except RowRefused as error:
                shown.problems[name] = error.message
            except (InvalidMoment, InvalidNumber) as error:
                shown.problems[name] = str(error)
        return shown

    def _shown(self, name: str, text: str) -> str:
        if name == "occurred_at":
            at = parse_moment(text, self._read_in).at.astimezone(self._zone)
            return f"{at.day} {at:%b %Y, %H:%M:%S}".removesuffix(":00")
        if name in _NUMBERS:
            return format_value(parse_value(text)) if text else ""
        codes = self._codes.get(name)
        if codes is not None and text and text not in codes:
            raise RowRefused(f"“{text[:60]}” is not a code of this program.")
        return text


def _mark_new_members(upload: Upload, mapping: Mapping, rows: list[PreviewRow]) -> None:
    named = {row.values["member"] for row in rows if row.values.get("member")}
    identities = Identity.objects.filter(
        program=upload.program_id,
        kind=mapping.identity_kind or upload.identity_kind,
        value__in=named,
    )
    known = set(identities.values_list("value", flat=True))
    for row in rows:
        member = row.values.get("member")
        row.is_new_member = bool(member) and member not in known
