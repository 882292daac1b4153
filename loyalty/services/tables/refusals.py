"""Why a file as a whole cannot be used."""

from __future__ import annotations

from loyalty.errors import LoyaltyError


class UnusableFile(LoyaltyError):
    """The file as a whole cannot be used; the sentence says what to do."""

    code = "unusable_file"


class EmptyFile(UnusableFile):
    """There is nothing in the file."""

    code = "empty_file"


class FileTooLarge(UnusableFile):
    """The file is larger than the site accepts."""

    code = "file_too_large"


class UnknownFormat(UnusableFile):
    """The file is none of the four formats."""

    code = "unknown_format"


class FormatMismatch(UnusableFile):
    """The name promises another format than the content has."""

    code = "format_mismatch"


class WrongEncoding(UnusableFile):
    """The text is not in the encoding that it is read in."""

    code = "wrong_encoding"


class UnpacksTooLarge(UnusableFile):
    """A small packed file unpacks to far more than its rows would."""

    code = "unpacks_too_large"


class BrokenFile(UnusableFile):
    """The file is cut off or damaged."""

    code = "broken_file"
