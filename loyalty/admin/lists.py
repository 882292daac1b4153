"""The form for files of names: members of a segment, products of a list."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget


class NamesFileForm(forms.Form):
    """A file with one name per line."""

    file = forms.FileField(
        help_text="CSV, text or Excel (XLSX): one per line, or the first column. Up to "
        "hundreds of thousands of lines.",
        widget=UnfoldAdminFileFieldWidget,
    )
    has_heading = forms.BooleanField(
        label="The first line is a heading",
        required=False,
        help_text="Off: the first line counts like every other.",
        widget=UnfoldBooleanSwitchWidget,
    )
