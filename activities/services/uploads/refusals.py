"""Why a file, a row of it or a step of its upload is refused."""

from __future__ import annotations

from loyalty.errors import LoyaltyError
from loyalty.services.tables.refusals import (
    BrokenFile,
    EmptyFile,
    FileTooLarge,
    FormatMismatch,
    UnknownFormat,
    UnpacksTooLarge,
    UnusableFile,
    WrongEncoding,
)

__all__ = [
    "BrokenFile",
    "BrokenLine",
    "ControlCharacter",
    "DuplicateColumns",
    "DuplicateKey",
    "EmptyFile",
    "FileTooLarge",
    "FormatMismatch",
    "InvalidData",
    "InvalidItems",
    "InvalidSource",
    "InvalidText",
    "LinesDisagree",
    "LinesNotTogether",
    "MissingColumns",
    "MissingValue",
    "NothingToRecord",
    "OtherProgram",
    "RaggedRow",
    "RowRefused",
    "TextTooLong",
    "TooManyItems",
    "UnknownFormat",
    "UnpacksTooLarge",
    "UnusableFile",
    "UploadNotReady",
    "WrongEncoding",
]


class MissingColumns(UnusableFile):
    """The header lacks columns that every activity needs."""

    code = "missing_columns"


class DuplicateColumns(UnusableFile):
    """The header names a column twice."""

    code = "duplicate_columns"


class OtherProgram(LoyaltyError):
    """A default of the upload belongs to another program."""

    code = "other_program"


class InvalidSource(LoyaltyError):
    """The source or the kind of identity is not given or too long."""

    code = "invalid_source"


class UploadNotReady(LoyaltyError):
    """The upload is not in the status that this step starts from."""

    code = "upload_not_ready"


class NothingToRecord(LoyaltyError):
    """No row of the file can be recorded."""

    code = "nothing_to_record"


class RowRefused(LoyaltyError):
    """One row cannot become an activity."""

    code = "invalid_row"


class BrokenLine(RowRefused):
    """The line is no JSON object, or its quotes do not close."""

    code = "broken_line"


class RaggedRow(RowRefused):
    """The row has more or fewer cells than the header."""

    code = "ragged_row"


class MissingValue(RowRefused):
    """A cell that every activity needs is empty."""

    code = "missing"


class TextTooLong(RowRefused):
    """A text is longer than its column holds."""

    code = "too_long"


class ControlCharacter(RowRefused):
    """A text holds the character NUL."""

    code = "control_character"


class LinesDisagree(RowRefused):
    """The lines of one activity differ in a field of the whole activity."""

    code = "lines_disagree"


class LinesNotTogether(RowRefused):
    """The lines of one activity stand apart in the file."""

    code = "lines_not_together"


class DuplicateKey(RowRefused):
    """An earlier row of the file has the same key."""

    code = "duplicate_key"


class TooManyItems(RowRefused):
    """An activity has more line items than are accepted."""

    code = "too_many_items"


class InvalidText(RowRefused):
    """Something else stands where text belongs."""

    code = "invalid_text"


class InvalidItems(RowRefused):
    """``items`` is not a list of objects."""

    code = "invalid_items"


class InvalidData(RowRefused):
    """``data`` is not an object, or too large."""

    code = "invalid_data"
