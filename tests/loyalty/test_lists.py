"""Files of names: products, voucher codes, members of a segment."""

import io

import pytest

from loyalty.services.lists import UnreadableList, first_column, look_at_list


@pytest.mark.parametrize(
    "cell",
    [
        "4.00638E+12",
        "4,00638E+12",
        "6E+15",
        "4.00638e+12",
        "4006381333931.0",
        "0815,00",
    ],
)
def test_a_number_that_a_spreadsheet_rewrote_is_refused_with_its_line(cell):
    file = io.BytesIO(f'4006381333930\n"{cell}"\n'.encode())

    with pytest.raises(UnreadableList, match="as a spreadsheet rewrote it") as refused:
        list(first_column(file, has_heading=False))

    assert refused.value.facts["line"] == 2
    file.seek(0)
    with pytest.raises(UnreadableList):
        look_at_list(file)


@pytest.mark.parametrize("name", ["4006381333931", "00815", "4E5", "A-1E+2", "12.50"])
def test_names_that_only_resemble_one_are_names(name):
    assert list(first_column(io.BytesIO(f"{name}\n".encode()), has_heading=False)) == [
        name
    ]
