"""The form that says how a file is read: columns, spelling, translations, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from activities.services import uploads
from activities.services.uploads.mapping.guessing import code_of
from activities.services.uploads.mapping.looking import vocabulary_of
from activities.services.uploads.mapping.sampling import stored_sample
from activities.services.uploads.mapping.spelling import DATE_FORMATS, NUMBER_STYLES
from activities.services.uploads.mapping.values import (
    CONSTANTS,
    FIELDS,
    KEEP,
    LABELS,
    PADDED,
    TIME,
    WIDTH_MAX,
)
from loyalty.services.tables.dialects import DELIMITERS, ENCODINGS

if TYPE_CHECKING:
    from django.http import QueryDict

    from activities.models import Upload
    from activities.services.uploads import Mapping

_FIELD_LABELS = {
    name: LABELS.get(name, "").capitalize() or "Keep it with the activity"
    for name in FIELDS
    if name
}
_COLUMN_CHOICES = [*_FIELD_LABELS.items(), ("", "Leave it out")]
_TRANSLATED = ("type", "channel", "business_unit")
_TEXTS_MAX = 25
_CELLS_SHOWN = 3


class ReadingForm(forms.Form):
    """How a file is read, as fields of a page; ``content`` is it as a mapping."""

    def __init__(
        self, data: QueryDict | None, *, upload: Upload, mapping: Mapping
    ) -> None:
        """Show ``mapping`` until something is posted."""
        super().__init__(data)
        self.upload = upload
        self.mapping = mapping
        self.sample = stored_sample(upload)
        self.vocabulary = vocabulary_of(upload)
        self._add_columns()
        self._add_spelling()
        self._add_constants()
        self._add_translations()
        self.fields["save_as"] = forms.CharField(
            label="Save this under a name",
            required=False,
            max_length=100,
            initial=upload.saved_mapping.name if upload.saved_mapping else "",
            help_text="Files with the same columns are then read so by themselves. "
            "Leave it empty to use it for this file only.",
            widget=UnfoldAdminTextInputWidget,
        )

    def _choice(self, label: str, choices: Any, initial: str, text: str = "") -> Any:
        return forms.ChoiceField(
            label=label,
            choices=choices,
            required=False,
            initial=initial,
            help_text=text,
            widget=UnfoldAdminSelectWidget,
        )

    def _add_columns(self) -> None:
        for place, name in enumerate(self.sample.header):
            if name:
                chosen = self.mapping.columns.get(name, "")
                field = self._choice(name, _COLUMN_CHOICES, chosen)
                field.widget.attrs["aria-label"] = f"What the column “{name}” is"
                self.fields[f"column_{place}"] = field

    def _add_spelling(self) -> None:
        mapping = self.mapping
        style = f"{mapping.decimal_sign}{mapping.thousands_sign}"
        styles = [
            (f"{one.decimal}{one.thousands}", one.example) for one in NUMBER_STYLES
        ]
        add = self.fields
        add["date_format"] = self._choice(
            "Dates", [("", "Choose…"), *DATE_FORMATS.items()], mapping.date_format
        )
        add["numbers"] = self._choice(
            "Numbers",
            [("", "Choose…"), *styles],
            style,
            "Which sign stands before the decimals, which between thousands.",
        )
        add["zone"] = forms.CharField(
            label="Time zone",
            required=False,
            initial=mapping.zone,
            help_text=f"Empty: {self.upload.program.time_zone}, the program's.",
            widget=UnfoldAdminTextInputWidget,
        )
        if self.upload.format == "csv":
            encoding = mapping.encoding or self.sample.dialect.encoding
            add["encoding"] = self._choice(
                "Encoding", ENCODINGS.items(), encoding.removesuffix("-le")
            )
            add["delimiter"] = self._choice(
                "Between the cells",
                [(sign, name.capitalize()) for sign, name in DELIMITERS.items()],
                mapping.delimiter or self.sample.dialect.delimiter,
            )
        kinds = {*self.vocabulary.identity_kinds, self.upload.identity_kind}
        add["identity_kind"] = self._choice(
            "Members are named by",
            [(kind, kind.replace("_", " ").capitalize()) for kind in sorted(kinds)],
            mapping.identity_kind or self.upload.identity_kind,
        )
        for name in PADDED:
            add[f"width_{name}"] = forms.IntegerField(
                label=f"Digits of the {LABELS[name]}'s number",
                required=False,
                min_value=0,
                max_value=WIDTH_MAX,
                initial=mapping.widths.get(name),
                help_text="Shorter numbers are filled up with leading zeros.",
                widget=UnfoldAdminIntegerFieldWidget,
            )

    def _add_constants(self) -> None:
        constants = self.mapping.constants
        for name in CONSTANTS:
            label = LABELS[name].capitalize()
            initial = constants.get(name, "")
            if name in self.vocabulary.codes:
                codes = self.vocabulary.codes[name].items()
                choices = [("", "As its column says"), *codes]
                self.fields[f"constant_{name}"] = self._choice(label, choices, initial)
                continue
            text = "Such as 12:00, where dates have none." if name == TIME else ""
            self.fields[f"constant_{name}"] = forms.CharField(
                label=label,
                required=False,
                max_length=20,
                initial=initial,
                help_text=text or "Its ISO code, such as EUR.",
                widget=UnfoldAdminTextInputWidget,
            )

    def _columns(self) -> dict[str, str]:
        if not self.is_bound:
            return self.mapping.columns
        return {
            name: self.data.get(f"column_{place}", KEEP)
            for place, name in enumerate(self.sample.header)
            if name
        }

    def _add_translations(self) -> None:
        """Offer a code for each text of the first rows that is not one."""
        self.texts: dict[str, tuple[str, str]] = {}
        columns = self._columns()
        for name in _TRANSLATED:
            codes = self.vocabulary.codes[name]
            known = self.mapping.translations.get(name, {})
            texts = [*known, *self._texts_of(name, columns)]
            for text in list(dict.fromkeys(texts))[:_TEXTS_MAX]:
                if text in codes:
                    continue
                field_name = f"text_{name}_{len(self.texts)}"
                self.texts[field_name] = (name, text)
                initial = known.get(text) or code_of(text, codes, name)
                field = self._choice(
                    f"{LABELS[name].capitalize()} “{text}”",
                    [("", "Nothing: leave these rows out"), *codes.items()],
                    initial,
                )
                self.fields[field_name] = field

    def _texts_of(self, name: str, columns: dict[str, str]) -> list[str]:
        for place, column in enumerate(self.sample.header):
            if columns.get(column) == name:
                return [cell.strip() for cell in self.sample.column(place)]
        return []

    @property
    def column_rows(self) -> list[tuple[Any, list[str]]]:
        """Return the fields of the columns, each with its first cells."""
        return [
            (
                self[f"column_{place}"],
                list(dict.fromkeys(self.sample.column(place)))[:_CELLS_SHOWN],
            )
            for place, name in enumerate(self.sample.header)
            if name
        ]

    def _group(self, *prefixes: str) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith(prefixes)]

    @property
    def spelling(self) -> list[Any]:
        """Return the fields about dates, numbers and the text itself."""
        return self._group("date_format", "numbers", "zone", "encoding", "delimiter")

    @property
    def members(self) -> list[Any]:
        """Return the fields about members and leading zeros."""
        return self._group("identity_kind", "width_")

    @property
    def constants(self) -> list[Any]:
        """Return the fields of what no column says."""
        return self._group("constant_")

    @property
    def translations(self) -> list[Any]:
        """Return the fields of texts that stand for codes."""
        return self._group("text_")

    def chosen(self) -> Mapping:
        """Return the mapping that was posted.

        Raises:
            InvalidMapping: it makes no sense.
        """
        given = self.cleaned_data
        style = given["numbers"]
        translations: dict[str, dict[str, str]] = {}
        for field_name, (name, text) in self.texts.items():
            if given.get(field_name):
                translations.setdefault(name, {})[text] = given[field_name]
        content = {
            **self.mapping.as_json(),
            "columns": self._columns(),
            "constants": {
                name: given[f"constant_{name}"].strip()
                for name in CONSTANTS
                if given[f"constant_{name}"].strip()
            },
            "translations": translations,
            "date_format": given["date_format"],
            "zone": given["zone"].strip(),
            "decimal_sign": style[:1],
            "thousands_sign": style[1:],
            "encoding": given.get("encoding", ""),
            "delimiter": given.get("delimiter", ""),
            "identity_kind": given["identity_kind"],
            "widths": {
                name: given[f"width_{name}"]
                for name in PADDED
                if given[f"width_{name}"]
            },
        }
        return uploads.mapping_of(content)
