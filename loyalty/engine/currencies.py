"""Codes of currencies, as ISO 4217 writes them."""

from __future__ import annotations

import re

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)


class InvalidCurrency(ValueError):
    """Something else than a code; the message says what is expected."""

    code = "invalid_currency"


def parse_currency(text: str) -> str:
    """Return the code; whether ISO has given it to a currency is not looked up.

    Raises:
        InvalidCurrency: it is not three capital letters.

    >>> parse_currency("EUR")
    'EUR'
    """
    if not _CODE.fullmatch(text):
        raise InvalidCurrency(
            f"“{text[:20]}” is no currency: write its ISO code in three capital "
            "letters, for example EUR."
        )
    return text
