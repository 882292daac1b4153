"""Use cases of a campaign's life: copying it as a draft."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction

from campaigns.models import Campaign, RewardMethod
from campaigns.models.campaigns import new_salt
from campaigns.services.composing import links_of

_Row = TypeVar("_Row", Campaign, RewardMethod)


def duplicate_as_draft(campaign: Campaign, name: str) -> Campaign:
    """Return a disabled copy with the same rules; nothing given counts against it.

    Its reward methods are copied too. Its code is empty: a code names one campaign.
    It holds out other members.
    """
    with transaction.atomic():
        original = Campaign.objects.get(pk=campaign.pk)
        methods = list(original.methods.order_by("pk"))
        copy = _copied(
            original, name=name, code="", holdout_salt=new_salt(), is_enabled=False
        )
        for method in methods:
            _copied(method, parent=copy, code="")
    return copy


def _copied(row: _Row, **changes: object) -> _Row:
    links = links_of(row)
    for name, value in changes.items():
        setattr(row, name, value)
    row.pk = None
    # Both parents of the row's number must go, or the original is saved.
    row.id = row.offer_ptr_id = None  # type: ignore[assignment]
    row._state.adding = True
    row.save()
    for relation, linked in links.items():
        getattr(row, relation).set(linked)
    return row
