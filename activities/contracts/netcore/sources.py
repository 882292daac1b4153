"""Channels by the words that items use for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaigns.services.programme import current_programme
from loyalty.models import Program
from loyalty.services.channels import TooManyNewChannels, discover_channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loyalty.engine.programme import Programme

# The vendor's own two words; others count if a channel is called so.
_CODES = {"web": "WEBSITE", "app": "APP"}


def channels_named(
    program_id: int, sources: Iterable[str], *, actor: str = ""
) -> dict[str, str]:
    """Return the code of the channel of each source; unknown ones are left out.

    Upper and lower case do not matter. The channels behind ``web`` and ``app`` are
    listed, marked for review, if the program has none and takes new channels.
    """
    wanted = set(sources)
    found = _codes(current_programme(program_id), wanted)
    missing = {
        _CODES[source.lower()]
        for source in wanted - found.keys()
        if source.lower() in _CODES
    }
    if missing and _takes_new_channels(program_id):
        for code in sorted(missing):
            try:
                discover_channel(program_id, code, actor=actor)
            except TooManyNewChannels:
                # The items that need it are refused as of an unknown source.
                pass
        found = _codes(current_programme(program_id), wanted)
    return found


def _codes(programme: Programme, sources: set[str]) -> dict[str, str]:
    by_lower_case: dict[str, str] = {}
    for code in sorted(programme.channels):
        by_lower_case.setdefault(code.lower(), code)
    found = {}
    for source in sources:
        code = _CODES.get(source.lower(), source)
        if code in programme.channels:
            found[source] = code
        elif code.lower() in by_lower_case:
            found[source] = by_lower_case[code.lower()]
    return found


def _takes_new_channels(program_id: int) -> bool:
    return Program.objects.filter(pk=program_id, has_closed_channels=False).exists()
