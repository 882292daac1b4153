"""The lists of the admin."""

from __future__ import annotations

from typing import Any

from unfold.views import ChangeList


class RowsList(ChangeList):
    """A list that only counts as filtered when a filter was filled in."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Return the parameters that narrow the list; empty boxes do not."""
        given: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in given.items() if any(value)}
