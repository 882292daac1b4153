"""Reading statements from the wire, and writing them for pgbench."""

import pytest
from django.db import connection

from benchmarks import wire
from benchmarks.handwritten import script
from benchmarks.wire import Statement
from loyalty.ledger.holdings import copy_lines, copy_text

pytestmark = pytest.mark.django_db


def test_statements_are_read_as_they_were_sent():
    with wire.recorded() as statements, connection.cursor() as cursor:
        cursor.execute("SELECT 1,\n%s", ['F\t9\tQuery "é"'])

    # The test's own transaction begins before.
    assert statements[-1:] == [Statement("SELECT 1,\n'F\t9\tQuery \"é\"'", [])]


def test_rows_of_a_copy_are_read_as_they_were_meant():
    words = ["plain", "tab\tand\nline", "back\\slash", "\\x09", "zoë"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (word text, number int)")

    with wire.recorded() as statements:
        copy_lines("copied", "word, number", [f"{copy_text(w)}\t\\N\n" for w in words])

    (statement,) = statements
    assert statement.text == "COPY copied (word, number) FROM STDIN"
    assert statement.rows == [[word, None] for word in words]


def test_a_script_fetches_its_own_ids_and_inserts_what_was_copied():
    statements = [
        Statement("SELECT nextval('entry_id_seq') FROM generate_series(1, 2)", []),
        Statement(
            "COPY entry (id, owner, word) FROM STDIN",
            [["71", "9", "it's"], ["72", "9", None]],
        ),
        Statement("SELECT pg_try_advisory_xact_lock(-5), 719, '{71}'", []),
    ]

    text = script(statements, {"entry": [71, 72]}, {"9": ":owner"}, [r"\set key 1"])

    assert text.splitlines() == [
        r"\set key 1",
        (
            "SELECT nextval('entry_id_seq') AS entry_0,"
            " nextval('entry_id_seq') AS entry_1 \\gset"
        ),
        (
            "INSERT INTO entry (id, owner, word) VALUES"
            " (':entry_0', ':owner', 'it''s'), (':entry_1', ':owner', NULL);"
        ),
        "SELECT pg_try_advisory_xact_lock(:key), 719, '{:entry_0}';",
    ]
