"""Codes and article numbers compared as people type them; both are stored as given."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Besides dashes (category Pd): the minus sign and the soft hyphen, and what is no sign
# at all.
_IGNORED = frozenset("\u2212\u00ad\u200b\u200c\u200d\u2060\ufeff")


def code_key(code: str) -> str:
    """Return what two ways to type one voucher code have in common.

    Case, blanks, hyphens and dashes of any kind do not count, nor does the width of
    letters. Empty where nothing else is left: no voucher has such a code.

    >>> code_key(" xmas-u2fh 77te\u2013emph ")
    'XMASU2FH77TEEMPH'
    """
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKC", code).upper()
        if not sign.isspace()
        and sign not in _IGNORED
        and unicodedata.category(sign) != "Pd"
    )


@lru_cache(maxsize=65_536)
def item_key(item_id: str) -> str:
    """Return what two spellings of one article number have in common.

    Blanks around it, Unicode composition and case do not count; hyphens and leading
    zeros do, because they tell articles apart.

    >>> item_key(" Pen-1 ") == item_key("PEN-1"), item_key("007") == item_key("7")
    (True, False)
    """
    composed = unicodedata.normalize("NFC", item_id).strip()
    return unicodedata.normalize("NFC", composed.casefold()) or item_id
