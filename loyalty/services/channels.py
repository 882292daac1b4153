"""Channels that client apps name before anybody has listed them."""

from __future__ import annotations

from django.db import connection, transaction

from loyalty.errors import LoyaltyError
from loyalty.models import Channel

# A client that sends a new channel with every call must not fill the list.
WAITING_MAX = 200
CODE_CHARACTERS_MAX = 50


class TooManyNewChannels(LoyaltyError):
    """So many discovered channels wait for review that no more are taken."""

    code = "too_many_new_channels"


def discover_channel(program_id: int, code: str, *, actor: str = "") -> None:
    """List a channel that a client app named, marked for review; or do nothing.

    A change of configuration: it waits for recordings under way, so it must not
    be called in the transaction of one.

    Raises:
        TooManyNewChannels: 200 others wait for review.
    """
    waiting = Channel.objects.filter(program_id=program_id, needs_review=True)
    if waiting.count() >= WAITING_MAX:
        raise TooManyNewChannels(
            f"{WAITING_MAX} new channels wait for review.", field="channel"
        )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('loyalty.actor', %s, true)", [actor])
        Channel.objects.bulk_create(
            [Channel(program_id=program_id, code=code, name=code, needs_review=True)],
            ignore_conflicts=True,
        )
