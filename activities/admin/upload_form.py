"""The form that takes a file, the columns it explains and the sample it offers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from activities.models import UnknownMemberPolicy
from activities.services.commands import RECEIPTS
from activities.services.uploads import REQUIRED_COLUMNS, UploadOptions
from loyalty.models import ActivityType, BusinessUnit, Channel, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loyalty.models import Program


@dataclass(frozen=True)
class Column:
    """A column of a file in words."""

    name: str
    meaning: str
    example: str

    @property
    def is_needed(self) -> bool:
        """Whether every file must have it."""
        return self.name in REQUIRED_COLUMNS


COLUMNS = (
    Column(
        "key",
        "The number of the receipt or event. Each is counted once, however often it "
        "is uploaded.",
        "receipt-4711",
    ),
    Column("member", "Whose it is: the member's number.", "100234"),
    Column(
        "occurred_at",
        "When it happened. Without a time zone it is read on the program's clock.",
        "2026-01-14T19:00:00Z",
    ),
    Column(
        "type",
        "What the member did: the code of an activity type. May be left out if you "
        "choose one in the form.",
        "PURCHASE",
    ),
    Column("channel", "Where: the code of a channel.", "STORE"),
    Column("business_unit", "The code of a business unit.", "grocery"),
    Column(
        "value",
        "What it was worth, with a point before the decimals; below zero for a return. "
        "Left empty or left out, the values of the items are added up; without items "
        "an empty cell is refused.",
        "12.50",
    ),
    Column(
        "currency", "The ISO code of its currency; converted into the program's.", "EUR"
    ),
    Column(
        "item_id",
        "For receipts with products: one row for each product, the rows of a receipt "
        "below each other, with the same key.",
        "4006381333931",
    ),
    Column(
        "item_value",
        "What was paid for this product; below zero if it came back.",
        "3.20",
    ),
    Column(
        "item_quantity",
        "How many of it; product groups count them. Empty is one, a weight such as "
        "0.455 counts as one.",
        "2",
    ),
    Column("item_group", "The product group. Kept, not counted.", "dairy"),
)


class UploadForm(forms.Form):
    """A file of activities and how to read it."""

    file = forms.FileField(
        label="The file",
        help_text="CSV, Excel (XLSX), JSON Lines or Parquet; CSV and JSON Lines also "
        "packed with gzip. It may hold millions of rows.",
        widget=UnfoldAdminFileFieldWidget,
    )
    activity_type = forms.ModelChoiceField(
        ActivityType.objects.none(),
        label="What members did",
        required=False,
        empty_label="As each row of the file says",
        help_text="For rows that do not say it themselves.",
        widget=UnfoldAdminSelectWidget,
    )
    channel = forms.ModelChoiceField(
        Channel.objects.none(),
        label="Where",
        required=False,
        empty_label="As each row of the file says",
        help_text="For rows without a channel.",
        widget=UnfoldAdminSelectWidget,
    )
    business_unit = forms.ModelChoiceField(
        BusinessUnit.objects.none(),
        label="Business unit",
        required=False,
        empty_label="As each row of the file says",
        help_text="For rows without one.",
        widget=UnfoldAdminSelectWidget,
    )
    identity_kind = forms.ChoiceField(
        label="How the file names members",
        help_text="The kind of number in the column “member”.",
        widget=UnfoldAdminSelectWidget,
    )
    unknown_members = forms.ChoiceField(
        label="Members whom nobody knows yet",
        choices=[
            (UnknownMemberPolicy.REFUSE.value, "Leave their rows out and list them"),
            (UnknownMemberPolicy.CREATE.value, "Enrol them as new members"),
        ],
        initial=UnknownMemberPolicy.REFUSE.value,
        widget=UnfoldAdminRadioSelectWidget,
    )
    source = forms.CharField(
        label="Whose receipt numbers these are",
        initial=RECEIPTS,
        max_length=20,
        help_text="“api” means the receipts that tills and apps send: what they have "
        "sent already is not paid again. Enter another name only if another system "
        "uses the same numbers for other receipts.",
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        """Offer rows of ``program``."""
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("activity_type", ActivityType.objects.filter(is_enabled=True)),
            ("channel", Channel.objects.filter(is_enabled=True)),
            ("business_unit", BusinessUnit.objects.filter(is_enabled=True)),
        ):
            own = rows.filter(program=program).order_by("name")
            self.fields[name].queryset = own  # type: ignore[attr-defined]
        kinds = Identity.objects.filter(program=program).values_list("kind", flat=True)
        known = sorted({*kinds.distinct(), "customer_id"})
        choices = [(kind, kind.replace("_", " ").capitalize()) for kind in known]
        self.fields["identity_kind"].choices = choices  # type: ignore[attr-defined]
        self.fields["identity_kind"].initial = "customer_id"

    def options(self) -> UploadOptions:
        """Return the options that a valid form names."""
        answers = self.cleaned_data
        return UploadOptions(
            source=answers["source"],
            identity_kind=answers["identity_kind"],
            unknown_members=answers["unknown_members"],
            default_activity_type=answers["activity_type"],
            default_channel=answers["channel"],
            default_business_unit=answers["business_unit"],
        )

    def explain(self, field: str, message: str) -> None:
        """Show a refusal beside the field it is about."""
        name = field.removeprefix("default_")
        self.add_error(name if name in self.fields else "file", message)


def sample_rows(program: Program, now: datetime) -> list[list[str]]:
    """Return a small file as it should look, with this program's own codes."""
    types = ActivityType.objects.filter(program=program, is_enabled=True)
    channels = Channel.objects.filter(program=program, is_enabled=True)
    type_code = types.values_list("code", flat=True).order_by("pk").first()
    channel_code = channels.values_list("code", flat=True).order_by("pk").first()
    numbers = Identity.objects.filter(program=program, kind="customer_id")
    members = list(numbers.values_list("value", flat=True).order_by("pk")[:2])
    rows = [["key", "member", "occurred_at", "type", "channel", "value"]]
    for place, value in enumerate(("12.50", "40.00")):
        moment = (now - timedelta(days=2 - place)).replace(microsecond=0)
        rows.append(
            [
                f"receipt-{place + 1}",
                members[place] if place < len(members) else f"10000{place + 1}",
                moment.isoformat(),
                type_code or "PURCHASE",
                channel_code or "",
                value,
            ]
        )
    return rows


def sample_csv(rows: list[list[str]]) -> Iterator[bytes]:
    """Yield the sample as a CSV file that Excel opens too."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    yield b"\xef\xbb\xbf" + text.getvalue().encode()


def sample_workbook(rows: list[list[str]]) -> Iterator[bytes]:
    """Yield the sample as an Excel workbook."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Activities")
        sheet.set_column(0, len(rows[0]) - 1, 24)
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell)
    yield buffer.getvalue()
