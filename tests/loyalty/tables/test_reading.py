"""Tables as people export them: any encoding, any separator, Excel too."""

import io

import openpyxl
import pytest

from loyalty.services.lists import UnreadableList, first_column
from loyalty.services.tables.dialects import guess_delimiter, guess_encoding
from loyalty.services.tables.reading import table_rows
from loyalty.services.tables.refusals import UnusableFile


def rows_of(content):
    return list(table_rows(io.BytesIO(content)))


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


GERMAN = "Karte;Größe\r\n0000479;Müller\r\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GERMAN.encode(), id="UTF-8"),
        pytest.param(GERMAN.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(GERMAN.encode("windows-1252"), id="Windows-1252"),
        pytest.param(GERMAN.encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xfe\xff" + GERMAN.encode("utf-16-be"), id="UTF-16, big"),
        pytest.param(GERMAN.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(GERMAN.replace(";", "\t").encode("utf-16"), id="Excel's text"),
        pytest.param(GERMAN.replace(";", "|").encode(), id="bars"),
    ],
)
def test_any_encoding_and_separator_gives_the_same_rows(content):
    assert rows_of(content) == [(1, ["Karte", "Größe"]), (2, ["0000479", "Müller"])]


def test_excels_separator_line_is_no_row_but_counts_as_a_line():
    assert rows_of(b"sep=;\r\na,b;c\r\n\r\n1;2\r\n") == [
        (2, ["a,b", "c"]),
        (4, ["1", "2"]),
    ]


def test_a_workbook_gives_its_first_sheet_as_text():
    content = workbook(["card", "n"], ["0007", 12.5], [None, None], [479, 1e15])

    assert rows_of(content) == [
        (1, ["card", "n"]),
        (2, ["0007", "12.5"]),
        (4, ["479", "1000000000000000"]),
    ]


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["id,x\n", "4711;a\n", "4712;b\n"], ";"),
        (["4711\n", "4712\n"], ","),
        (["a;b\n", "1,5;2\n", "2,5;3\n"], ";"),
        (["a\tb, c\n", "1\t2, 3, 4\n"], "\t"),
        (['"a;b",c\n', '"1;2;3",4\n'], ","),
    ],
)
def test_the_separator_is_guessed_from_several_lines(lines, separator):
    assert guess_delimiter(lines, str.isupper) == separator


@pytest.mark.parametrize("content", [b"\0\0\0", b"a,b\0\n", b"\xff\xfe\0\0a\0\0\0"])
def test_what_is_not_text_is_refused(content):
    with pytest.raises(UnusableFile, match="not text"):
        guess_encoding(content)


def test_a_character_cut_by_the_end_of_the_sample_is_still_utf8():
    assert guess_encoding("Müll".encode()[:2]) == "utf-8"


def names(content, **options):
    return list(first_column(io.BytesIO(content), **{"has_heading": False, **options}))


def test_a_list_may_be_a_workbook_and_any_column_of_it():
    content = workbook(["name", "card"], ["Ann", "0000479"], ["Ben", 12])

    assert names(content, has_heading=True, column=1) == ["0000479", "12"]


def test_what_a_download_escaped_is_read_as_it_was():
    assert names(b"'=A1\n'+49\n-5\n") == ["=A1", "+49", "-5"]


def test_an_empty_list_is_no_fault():
    assert names(b"") == []


def test_a_broken_workbook_says_so():
    with pytest.raises(UnreadableList, match="Excel file is damaged"):
        names(b"PK\x03\x04 and no more")
