"""What is asked about a file, in words: the question and the answers to choose from."""

from __future__ import annotations

from typing import Any

_CHOICES = {
    "numbers": (
        ("comma", "The point separates thousands: 1.000 is one thousand"),
        ("point", "The point is the decimal sign: 1.000 is one"),
    ),
    "comma_numbers": (
        ("point", "The comma separates thousands: 1,000 is one thousand"),
        ("comma", "The comma is the decimal sign: 1,000 is one"),
    ),
    "dates": (
        ("dmy", "Day first: 01/02/2026 is 1 February"),
        ("mdy", "Month first: 01/02/2026 is 2 January"),
    ),
    "scientific": (
        ("refuse", "Leave these rows out and list them"),
        ("keep", "They really are written like this"),
    ),
    "point_zero": (
        ("drop", "Read the digits before the point: 4006381333931"),
        ("keep", "They really end in “.0”"),
        ("refuse", "Leave these rows out and list them"),
    ),
    "similar_members": (
        ("match", "They are the existing members: record their rows for those"),
        ("enrol", "They are other people: enrol them as new members"),
        ("refuse", "Leave their rows out and list them"),
    ),
}


def asked(question: dict[str, Any]) -> dict[str, Any]:
    """Return a question with its sentence and its choices; ``columns`` has none."""
    code = question["code"]
    key = code
    if code == "numbers" and _is_comma(question):
        key = "comma_numbers"
    return {
        **question,
        "text": _text(question),
        "choices": [
            {"answer": answer, "label": label}
            for answer, label in _CHOICES.get(key, ())
        ],
    }


def _is_comma(question: dict[str, Any]) -> bool:
    examples = question.get("examples") or [{"text": ""}]
    return "," in examples[0]["text"]


def _text(question: dict[str, Any]) -> str:
    code, count = question["code"], question.get("count", 0)
    where = " and ".join(f"“{one}”" for one in question.get("columns", ()))
    cells = f"{count:,} number{'s' if count != 1 else ''}"
    if code == "columns":
        return question.get("text") or "Which columns of the file are what?"
    if code == "numbers":
        return (
            f"{cells} in {where} could be thousands or decimals. How are numbers "
            "written in this file?"
        )
    if code == "dates":
        return f"In {where} day and month could be either. Which comes first?"
    if code == "scientific":
        return (
            f"{cells} in {where} look shortened by a spreadsheet; their last digits "
            "are lost. What should happen to these rows?"
        )
    if code == "point_zero":
        return f"{cells} in {where} end in “.0”, as a spreadsheet writes long numbers."
    people = f"{count:,} member{'s' if count != 1 else ''}"
    return (
        f"{people} of the file would be enrolled as new, though the program has "
        "members whose numbers differ only by leading zeros, case, blanks or hyphens."
    )
