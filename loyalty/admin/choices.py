"""Choices that several boxes of one page share are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.forms.models import ModelChoiceIterator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import ModelChoiceField
    from django.http import HttpRequest


def remember_choices(field: ModelChoiceField | None, request: HttpRequest) -> None:
    """Let a field share its rows with the others of the page that have the same.

    A campaign with four prizes has four boxes for the tier: one query, not four.
    """
    if field is None:
        return
    remembered: dict[str, list[Any]] = vars(request).setdefault("_choices", {})

    class Remembering(ModelChoiceIterator):
        def __iter__(self) -> Iterator[Any]:
            if self.field.empty_label is not None:
                yield ("", self.field.empty_label)
            key = f"{self.queryset.model.__name__} {self.queryset.query}"
            if key not in remembered:
                remembered[key] = list(self.queryset)
            for row in remembered[key]:
                yield self.choice(row)

    field.iterator = Remembering
    field.widget.choices = field.choices
