"""Identities compared as people mean them: the same person, however it is written.

An identity is stored as it was given; what is compared is its key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

import phonenumbers

DEFAULT_REGION = "US"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_GUID = re.compile(
    r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?",
    re.ASCII | re.IGNORECASE,
)
_NOT_DIGITS = re.compile(r"\D", re.ASCII)
_PHONE = re.compile(
    # Blanks, hyphens and dashes of any kind part the digits; an extension may follow.
    r"\+?[\d\s()./\u2010-\u2015\u2212-]+(?:(?:;ext=|x|ext\.?)\s*\d+)?",
    re.IGNORECASE,
)


class Comparison(Enum):
    """How identities of a kind are compared; blanks around them never count."""

    EXACT = "exact"
    CASELESS = "caseless"
    EMAIL = "email"
    PHONE = "phone"


_BY_KIND = {
    "email": Comparison.EMAIL,
    "e-mail": Comparison.EMAIL,
    "e_mail": Comparison.EMAIL,
    "mail": Comparison.EMAIL,
    "email_address": Comparison.EMAIL,
    "phone": Comparison.PHONE,
    "phone_number": Comparison.PHONE,
    "telephone": Comparison.PHONE,
    "mobile": Comparison.PHONE,
    "mobile_phone": Comparison.PHONE,
    "mobile_phone_number": Comparison.PHONE,
    "msisdn": Comparison.PHONE,
    "username": Comparison.CASELESS,
}


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """How a program compares identities.

    ``by_kind`` overrides what the name of a kind suggests; ``region`` is the country,
    as ISO 3166 writes it, of telephone numbers that name none.
    """

    region: str = DEFAULT_REGION
    by_kind: Mapping[str, Comparison] = field(default_factory=dict)

    def comparison_of(self, kind: str) -> Comparison:
        """Return how identities of a kind are compared."""
        found = self.by_kind.get(kind)
        return found or _BY_KIND.get(kind.strip().lower(), Comparison.EXACT)

    def key_of(self, kind: str, value: str) -> str:
        """Return what two spellings of one identity have in common.

        >>> IdentityRules().key_of("email", " Ann@Example.com ")
        'ann@example.com'
        >>> IdentityRules("DE").key_of("phone", "0170 123 45 67")
        '+491701234567'
        """
        return identity_key(value, self.comparison_of(kind), self.region)


@lru_cache(maxsize=65_536)
def identity_key(value: str, comparison: Comparison, region: str) -> str:
    """Return the key of an identity; never empty unless the value is.

    Telephone numbers become E.164 where that is possible; what is not a number stays
    text. GUIDs are the same in any case and in braces.
    """
    composed = unicodedata.normalize("NFC", value)
    text = composed.strip().strip(_INVISIBLE).strip() or value
    if comparison is Comparison.PHONE:
        return _phone_key(text, region)
    guid = _GUID.fullmatch(text)
    if guid:
        return guid[1].lower()
    if comparison is Comparison.EXACT:
        return text
    return unicodedata.normalize("NFC", text.casefold())


def _phone_key(text: str, region: str) -> str:
    if not _PHONE.fullmatch(text):
        return text.casefold()
    plus = f"+{text.strip()[2:]}" if text.startswith("00") else text
    readings = [_number(plus, region)]
    if not plus.startswith("+"):
        # Many systems leave out the plus of an international number; one that begins
        # with the region's own code is rather that than a national number.
        code = phonenumbers.country_code_for_region(region)
        is_own = _NOT_DIGITS.sub("", plus).startswith(str(code))
        readings.insert(0 if is_own else 1, _number(f"+{plus}", None))
    numbers = [one for one in readings if one is not None]
    for is_good in (phonenumbers.is_valid_number, phonenumbers.is_possible_number):
        for number in numbers:
            if is_good(number):
                key = phonenumbers.format_number(
                    number, phonenumbers.PhoneNumberFormat.E164
                )
                return f"{key};ext={number.extension}" if number.extension else key
    sign = "+" if plus.startswith("+") else ""
    return sign + _NOT_DIGITS.sub("", plus) if _NOT_DIGITS.sub("", plus) else text


def _number(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def is_region(code: str) -> bool:
    """Return whether telephone numbers can be read as of a country.

    >>> is_region("FR"), is_region("XX")
    (True, False)
    """
    return code in phonenumbers.SUPPORTED_REGIONS
