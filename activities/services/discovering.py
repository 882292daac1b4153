"""Activity types that clients name before anybody has listed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from campaigns.services.programme import CONFIGURATION_LOCK, current_programme
from loyalty.engine.facts import RewardKind
from loyalty.errors import LoyaltyError
from loyalty.models import ActivityType, Wallet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loyalty.engine.programme import Programme, TypeRule

# A client that sends a new name with every call must not fill the list.
WAITING_MAX = 200
NAME_CHARACTERS_MAX = 100


class TooManyNewActivityTypes(LoyaltyError):
    """So many discovered activity types wait for review that no more are taken."""

    code = "too_many_new_activity_types"


def types_named(
    program_id: int, names: Iterable[str], *, actor: str = ""
) -> dict[str, TypeRule]:
    """Return the activity type of each name; list the new ones.

    Upper and lower case do not matter; of several types the one spelled like the
    name counts, then the oldest. New types are spelled as first seen, pay nothing
    and are marked for review. A name that could not be listed, because too many
    wait for review or the program has no wallet yet, is left out.

    A change of configuration: it waits for recordings under way, so it must not be
    called in the transaction of one.
    """
    asked = list(dict.fromkeys(names))
    found = _types(current_programme(program_id), asked)
    missing = [name for name in asked if name not in found]
    if missing:
        _discover(program_id, missing, actor)
        found = _types(current_programme(program_id), asked)
    return found


# The newest configuration seen of each program, and its codes by lower case.
_folded: dict[int, tuple[Programme, dict[str, str]]] = {}


def _types(programme: Programme, names: list[str]) -> dict[str, TypeRule]:
    known = _folded.get(programme.program_id)
    if known is None or known[0] is not programme:
        known = (programme, _by_lower_case(programme))
        _folded[programme.program_id] = known
    _, codes = known
    return {
        name: programme.types.get(name) or programme.types[codes[name.lower()]]
        for name in names
        if name in programme.types or name.lower() in codes
    }


def _by_lower_case(programme: Programme) -> dict[str, str]:
    codes: dict[str, str] = {}
    for rule in sorted(programme.types.values(), key=lambda rule: rule.offer.id):
        codes.setdefault(rule.code.lower(), rule.code)
    return codes


def _discover(program_id: int, names: list[str], actor: str) -> None:
    """List names, as many as there is room for."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Alone from the first look on: two requests may meet the same name.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, %s),"
                " set_config('loyalty.actor', %s, true)",
                [CONFIGURATION_LOCK, program_id, actor],
            )
        types = ActivityType.objects.filter(program_id=program_id)
        wallet = Wallet.objects.filter(program_id=program_id).order_by("pk").first()
        if wallet is None:
            return
        known = {code.lower() for code in types.values_list("code", flat=True)}
        room = WAITING_MAX - types.filter(needs_review=True).count()
        for name in names:
            if room <= 0:
                return
            if name.lower() not in known:
                known.add(name.lower())
                room -= 1
                _list(program_id, name, wallet)


def _list(program_id: int, name: str, wallet: Wallet) -> None:
    ActivityType.objects.create(
        program_id=program_id,
        code=name,
        name=name,
        title=name,
        wallet=wallet,
        reward_method=RewardKind.NOTHING.value,
        needs_review=True,
    )
