"""Use cases of a campaign's life: copying it as a draft."""

from __future__ import annotations

from django.db import transaction

from campaigns.models import Campaign
from campaigns.models.campaigns import new_salt

_LINKS = ("channels", "activity_types", "included_segments", "excluded_segments")


def duplicate_as_draft(campaign: Campaign, name: str) -> Campaign:
    """Return a disabled copy with the same rules; nothing given counts against it.

    Its code is empty: a code names one campaign. It holds out other members.
    """
    with transaction.atomic():
        copy = Campaign.objects.get(pk=campaign.pk)
        links = {name: list(getattr(copy, name).all()) for name in _LINKS}
        copy.pk = None
        # Both parents of the row's number must go, or the original is saved.
        copy.id = copy.offer_ptr_id = None  # type: ignore[assignment]
        copy._state.adding = True
        copy.name = name
        copy.code = ""
        copy.holdout_salt = new_salt()
        copy.is_enabled = False
        copy.save()
        for relation, rows in links.items():
            getattr(copy, relation).set(rows)
    return copy
