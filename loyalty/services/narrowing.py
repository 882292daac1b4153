"""What may not be deleted because an offer would then be open to more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.models import Offer, Tag

if TYPE_CHECKING:
    from django.db.models import Model


def offers_narrowed_by(row: Model) -> list[Offer]:
    """Return the offers that only some people, types or channels reach because of it.

    An empty list of segments, activity types or channels means everybody and
    everything: an offer that loses the last one would pay to all. Tags narrow
    nothing.
    """
    if isinstance(row, Tag):
        return []
    # A proxy knows no relations back; its table's own model does.
    meta = (row._meta.concrete_model or type(row))._meta
    return [
        offer
        for relation in meta.related_objects
        if relation.many_to_many and issubclass(relation.related_model, Offer)
        for offer in getattr(row, str(relation.get_accessor_name())).order_by("pk")
    ]
