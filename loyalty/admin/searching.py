"""Finding members by a part of what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import OperationalError, connection, transaction
from django.db.models import TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat

from loyalty.models import Identity, Member

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

# Parts are looked for in every identity of a program, so their time is bounded.
_MILLISECONDS = 2000
_PART_MIN = 3


class TooMany(Exception):
    """A part was not found in time."""

    def __init__(self) -> None:
        """Say what to type instead."""
        super().__init__(
            "There are too many members to search by a part. Type a whole customer "
            "number, e-mail address or other identity."
        )


def named(rows: QuerySet[Member], term: str) -> QuerySet[Member]:
    """Return the members whose whole name contains ``term``."""
    parts = (
        Coalesce(
            KeyTextTransform(key, "attributes"), Value(""), output_field=TextField()
        )
        for key in ("first_name", "last_name")
    )
    first, last = parts
    name = Concat(first, Value(" "), last, output_field=TextField())
    return rows.annotate(whole_name=name).filter(whole_name__icontains=term)


def members_like(
    program_id: int, term: str, limit: int, known: Collection[int] = ()
) -> list[Member]:
    """Return members of whom an identity or the name contains ``term``.

    None for fewer than three characters.

    Raises:
        TooMany: it would take too long.
    """
    if len(term) < _PART_MIN:
        return []
    identities = Identity.objects.filter(program=program_id, value__icontains=term)
    members = Member.objects.filter(program=program_id)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [_MILLISECONDS])
            found = [
                *identities.values_list("member", flat=True)[: limit + len(known)],
                *named(members, term).values_list("pk", flat=True)[
                    : limit + len(known)
                ],
            ]
            pks = [pk for pk in dict.fromkeys(found) if pk not in known][:limit]
            rows = Member.objects.filter(pk__in=pks).prefetch_related("identities")
            return sorted(rows, key=lambda one: one.pk)
    except OperationalError as error:
        raise TooMany from error
