"""How people write and read numbers in forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

_NO_MULTIPLE = "Must be more than 1: 2 is double points, 3 triple."


class NumberField(forms.DecimalField):
    """A number, shown without decimals that say nothing: 100, not 100.0000."""

    def prepare_value(self, value: Any) -> Any:
        """Return the number as people write it."""
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        return super().prepare_value(value)


class TimesField(NumberField):
    """Points in all as a multiple of the base; the value is what comes on top.

    People write 2 for double points; what is stored is 1, the base once more.
    """

    def prepare_value(self, value: Any) -> Any:
        """Return a stored multiple as people write it."""
        if isinstance(value, Decimal):
            value += 1
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        """Return what comes on top of the base."""
        written: Decimal | None = super().to_python(value)
        if written is None:
            return None
        if written <= 1:
            raise forms.ValidationError(_NO_MULTIPLE)
        return written - 1


TIMES = {
    "form_class": TimesField,
    "label": "Times the base points",
    "help_text": "In all: 2 is double points, 3 triple, 1.5 half as much again.",
}


def times(extra: Decimal) -> str:
    """Return a stored multiple as people write it.

    >>> times(Decimal("1.0000"))
    '2 ×'
    """
    return f"{(extra + 1).normalize():f} ×"
