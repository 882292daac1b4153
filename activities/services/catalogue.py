"""The catalogue: what members can do, for everybody and for one member."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from activities.services.standing import standing_of
from campaigns.services.programme import current_programme
from loyalty.engine.showing import Showing, showing_of
from loyalty.errors import LoyaltyError
from loyalty.models import ActivityType, KindNumber

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from loyalty.models import KindNumbering, Member

#: The kind under which types without one are told.
KIND_OF_THE_OTHERS = "your-site"


class NotInCatalogue(LoyaltyError):
    """No activity type of the program has this number."""

    code = "not_in_catalogue"


class CatalogueEntry(NamedTuple):
    """An activity type, by number, as one member is shown it."""

    activity_type_id: int
    is_locked: bool


def live_catalogue(
    program_id: int, now: datetime, unit_ids: Collection[int] = ()
) -> QuerySet[ActivityType]:
    """Return the activity types that are live at ``now``, by number.

    Left out are types that were discovered and that nobody has looked at, and,
    if ``unit_ids`` are given, types of other business units.
    """
    rows = ActivityType.objects.live_at(now).filter(
        program_id=program_id, needs_review=False
    )
    return _of_units(rows, unit_ids).order_by("pk")


def catalogue_of_member(
    member: Member, now: datetime, unit_ids: Collection[int] = ()
) -> list[CatalogueEntry]:
    """Return what of the live catalogue a member is shown at ``now``, by number.

    The conditions are those that decide what the type pays: tier by rank, segments
    by membership at ``now``. Five queries at most, whatever the catalogue's size.
    """
    programme = current_programme(member.program_id)
    standing = standing_of(member.pk, programme, now)
    rows = live_catalogue(member.program_id, now, unit_ids)
    shown = []
    for number, locks in rows.values_list("pk", "show_as_locked_by_tier"):
        offer = programme.offers.get(number)
        # Added since the configuration was compiled: the next call shows it.
        if offer is None:
            continue
        showing = showing_of(
            offer,
            standing.segment_ids,
            standing.tier_id,
            programme.rules,
            locks_by_tier=locks,
        )
        if showing is not Showing.HIDDEN:
            shown.append(CatalogueEntry(number, showing is Showing.LOCKED))
    return shown


def catalogue_row(
    program_id: int, number: int, unit_ids: Collection[int] = ()
) -> ActivityType:
    """Return one activity type with what its catalogue entry shows, live or not.

    Raises:
        NotInCatalogue: the program has no such type, or not for these units.
    """
    rows = ActivityType.objects.filter(program_id=program_id, pk=number)
    row = for_catalogue(_of_units(rows, unit_ids)).first()
    if row is None:
        raise NotInCatalogue(f"There is no activity {number}.")
    return row


def rows_of(entries: Iterable[CatalogueEntry]) -> dict[int, ActivityType]:
    """Return the activity types of some entries, by number; two queries."""
    numbers = [entry.activity_type_id for entry in entries]
    rows = ActivityType.objects.filter(pk__in=numbers)
    return {row.pk: row for row in for_catalogue(rows)}


def kind_numbers(numbering: KindNumbering) -> dict[int | None, KindNumber]:
    """Return numbers and names of the kinds in one of the lists, by kind.

    Under None stands the one for activity types without a kind.
    """
    rows = KindNumber.objects.filter(numbering=numbering).select_related("kind")
    found: dict[int | None, KindNumber] = {row.kind_id: row for row in rows}
    for row in list(found.values()):
        if row.kind.key == KIND_OF_THE_OTHERS:
            found[None] = row
    return found


def for_catalogue(rows: QuerySet[ActivityType]) -> QuerySet[ActivityType]:
    """Return the rows with everything that a catalogue entry shows; two queries."""
    return rows.select_related(
        "category",
        "frequency_period",
        "partner",
        "reporting_channel",
        "segment",
    ).prefetch_related("tags")


def _of_units(
    rows: QuerySet[ActivityType], unit_ids: Collection[int]
) -> QuerySet[ActivityType]:
    if not unit_ids:
        return rows
    return rows.filter(
        Q(business_unit__isnull=True) | Q(business_unit__in=list(unit_ids))
    )
