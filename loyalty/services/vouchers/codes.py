"""Codes of vouchers: impossible to guess, easy to read out."""

import secrets

# Without I, O, 0 and 1, which people take for each other.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SYMBOLS = 12
# 256 is a multiple of 32: every symbol is equally likely.
_SYMBOL_OF_BYTE = (ALPHABET * 8).encode()


def make_codes(prefix: str, count: int) -> list[str]:
    """Return ``count`` codes of 60 random bits each, in groups of four symbols.

    Two may be equal, though it is not to be expected: whoever stores them looks.
    """
    text = secrets.token_bytes(count * SYMBOLS).translate(_SYMBOL_OF_BYTE).decode()
    return [
        f"{prefix}{text[at : at + 4]}-{text[at + 4 : at + 8]}-{text[at + 8 : at + 12]}"
        for at in range(0, count * SYMBOLS, SYMBOLS)
    ]
