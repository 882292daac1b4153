"""Activities that came without the value that their type pays by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from unfold.contrib.filters.admin import DropdownFilter

from loyalty.engine.facts import RewardKind

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from activities.models import Activity

NO_VALUE = "No value"
_WITHOUT = Q(value=None) & (
    Q(activity_type__reward_method=RewardKind.PER_VALUE.value)
    | ~Q(activity_type__value_param="")
)


def lacks_value(activity: Activity) -> bool:
    """Whether its type pays by value, or says where one stands, and none came."""
    kind = activity.activity_type
    pays_by_value = kind.reward_method == RewardKind.PER_VALUE.value
    return activity.value is None and (pays_by_value or kind.value_param != "")


class ValueFilter(DropdownFilter):
    """What earned nothing by value because no value came."""

    title = "value"
    parameter_name = "value_given"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what can be asked for."""
        return [("missing", "Missing, though the type pays by it"), ("given", "Given")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Activity]
    ) -> QuerySet[Activity]:
        """Return the activities asked for."""
        if self.value() == "missing":
            return queryset.filter(_WITHOUT)
        if self.value() == "given":
            return queryset.exclude(value=None)
        return queryset
