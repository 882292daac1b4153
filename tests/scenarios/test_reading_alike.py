"""Numbers and moments are read alike on every way in, and nothing is cut."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import time_machine

from activities.models import Activity
from tests.activities.uploads.files import (
    checked,
    csv_bytes,
    finished,
    refusals,
    xlsx_bytes,
)
from tests.builders import NOON, make_channel, make_member, make_program, make_type
from tests.callers import caller_for
from tests.contracts.hang.client import FORM, HangClient
from tests.contracts.netcore.client import NetcoreClient

pytestmark = pytest.mark.django_db

#: How a value is written in JSON, and what is meant by it.
MEANT = {
    "36.900000000000006": "36.9",
    "3.3000000000000003": "3.3",
    "3.299999952316284": "3.3",
    "36.90000": "36.9",
    "1e2": "100",
    "1.5E+1": "15",
    '" 36 "': "36",
    '"+5"': "5",
    '"5."': "5",
    '".5"': "0.5",
    '"36.900000000000006"': "36.9",
    '"36.90000"': "36.9",
}
#: What is refused rather than cut or guessed.
REFUSED = ["12.3456789", '"12.3456789"', "1.00001", '"1e2"', '"1,5"', "1e14"]
MOMENT = "2026-03-04T11:30Z"


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    make_type(program, "Purchase", value_param="total")
    make_channel(program, "WEBSITE")
    return program


@pytest.fixture
def member(program):
    return make_member(program, "ann")


@pytest.fixture
def frozen():
    with time_machine.travel(NOON, tick=False):
        yield


def values_by_key():
    rows = Activity.objects.values_list("key", "value")
    return dict(rows)


def body_of(place, literal, member):
    return (
        f'{{"key": "k-{place}", "member": {{"id": {member.pk}}}, "type": "PURCHASE",'
        f' "occurred_at": "{MOMENT}", "value": {literal},'
        f' "items": [{{"item_id": "a", "value": {literal}, "quantity": {literal}}}]}}'
    )


def is_kept_as_meant(key, meant):
    row = Activity.objects.get(key=key)
    assert row.value == Decimal(meant)
    assert row.occurred_at == datetime(2026, 3, 4, 11, 30, tzinfo=UTC)
    return row


def test_over_the_api(program, member, frozen):
    client = caller_for(program)
    literals = [*MEANT, *REFUSED]
    answers = [
        client.post("activities", body_of(place, literal, member)).status_code
        for place, literal in enumerate(literals)
    ]

    assert answers == [201] * len(MEANT) + [400] * len(REFUSED)
    for place, meant in enumerate(MEANT.values()):
        (item,) = is_kept_as_meant(f"k-{place}", meant).items
        assert (item["value"], item["quantity"]) == (meant, meant)


def test_in_a_batch_over_the_api(program, member, frozen):
    literals = [*MEANT, *REFUSED]
    bodies = [body_of(place, one, member) for place, one in enumerate(literals)]

    response = caller_for(program).post(
        "activities/batch", f'{{"activities": [{", ".join(bodies)}]}}'
    )

    assert response.status_code == 207, response.content
    assert Activity.objects.count() == len(MEANT)
    for place, meant in enumerate(MEANT.values()):
        is_kept_as_meant(f"k-{place}", meant)


def line_of(place, literal):
    return (
        f'{{"key": "k-{place}", "member": "ann", "occurred_at": "{MOMENT}",'
        f' "type": "PURCHASE", "items": [{{"item_id": "a", "value": {literal},'
        f' "quantity": {literal}}}], "value": {literal}}}\n'
    )


def test_in_json_lines(program, member):
    literals = [*MEANT, *REFUSED]
    text = "".join(line_of(place, one) for place, one in enumerate(literals))

    upload = finished(program, text, "sales.jsonl")

    assert upload.refused_count == len(REFUSED)
    for place, meant in enumerate(MEANT.values()):
        (item,) = is_kept_as_meant(f"k-{place}", meant).items
        assert (item["value"], item["quantity"]) == (meant, meant)


def rows_of(texts):
    return [
        {
            "key": f"k-{place}",
            "member": "ann",
            "occurred_at": MOMENT,
            "type": "PURCHASE",
            "value": text,
        }
        for place, text in enumerate(texts)
    ]


def test_in_csv(program, member):
    meant = {json.loads(one): sum_ for one, sum_ in MEANT.items() if one[0] == '"'}
    meant |= {one: sum_ for one, sum_ in MEANT.items() if "e" not in one.lower()}
    meant = {str(one).strip('"'): sum_ for one, sum_ in meant.items()}
    wrong = ["12.3456789", "1.00001", "1e2", "1E+05", "1,5", "1e14"]

    upload = finished(program, csv_bytes(rows_of([*meant, *wrong])))

    first_wrong = len(meant) + 2
    assert refusals(upload) == [
        (first_wrong + place, "value", "invalid_number") for place in range(len(wrong))
    ]
    for place, sum_ in enumerate(meant.values()):
        is_kept_as_meant(f"k-{place}", sum_)


def test_in_a_workbook(program, member):
    cells = [12.3 * 3, 1.1 * 3, 0.1 + 0.2, 99.9999999999986, 12.5, 100]

    finished(program, xlsx_bytes(rows_of(cells)), "sales.xlsx")

    kept = values_by_key()
    meant = ["36.9", "3.3", "0.3", "100", "12.5", "100"]
    assert kept == {f"k-{place}": Decimal(one) for place, one in enumerate(meant)}
    upload = checked(program, xlsx_bytes(rows_of([12.3456789])), "long.xlsx")
    assert refusals(upload) == [(2, "value", "invalid_number")]


@pytest.mark.parametrize(
    ("kind", "cells", "meant"),
    [
        (pa.float64(), [12.3 * 3, 0.1 + 0.2], ["36.9", "0.3"]),
        (pa.float32(), [3.3, 36.9, 131072.1, 5000.3], None),
        (pa.float16(), [3.3, 36.9], None),
        (
            pa.decimal128(38, 15),
            [Decimal("36.900000000000006"), Decimal(5)],
            ["36.9", "5"],
        ),
        (pa.string(), ["+5", " 36 ", ".5"], ["5", "36", "0.5"]),
    ],
    ids=str,
)
def test_in_parquet(program, member, kind, cells, meant):
    table = pa.Table.from_pylist(rows_of(cells))
    if kind == pa.float16():
        narrow = pa.array(cells, pa.float32()).cast(pa.float16())
    else:
        narrow = pa.array(cells, kind)
    place = table.schema.get_field_index("value")
    buffer = io.BytesIO()
    pq.write_table(table.set_column(place, "value", narrow), buffer)

    finished(program, buffer.getvalue(), "sales.parquet")

    meant = meant or [str(cell) for cell in cells]
    kept = values_by_key()
    assert kept == {f"k-{place}": Decimal(one) for place, one in enumerate(meant)}


def test_a_value_of_a_parquet_file_with_more_decimals_is_refused(program, member):
    for kind in (pa.float64(), pa.float32()):
        table = pa.Table.from_pylist(rows_of([12.3456789]))
        place = table.schema.get_field_index("value")
        buffer = io.BytesIO()
        narrow = pa.array([12.3456789], kind)
        pq.write_table(table.set_column(place, "value", narrow), buffer)

        upload = checked(program, buffer.getvalue(), "long.parquet")

        assert refusals(upload) == [(1, "value", "invalid_number")]


def hang_body(place, literal):
    return (
        f'{{"idempotency_key": "k-{place}", "activity": {{"activity_type_id":'
        f' "PURCHASE", "value": {literal}, "transaction_timestamp": 1772623800.0,'
        f' "line_items": [{{"item_id": "a", "value": {literal}}}]}}}}'
    ).encode()


def test_over_hang(program, member, frozen):
    client = HangClient(program)
    literals = [*MEANT, *REFUSED]
    answers = [
        client.record(member, hang_body(place, one)).status_code
        for place, one in enumerate(literals)
    ]

    assert answers == [200] * len(MEANT) + [400] * len(REFUSED)
    for place, meant in enumerate(MEANT.values()):
        (item,) = is_kept_as_meant(f"k-{place}", meant).items
        assert item["value"] == meant


def test_over_a_form_of_hang(program, member, frozen):
    client = HangClient(program)
    fields = {
        "idempotency_key": "k-1",
        "activity[activity_type_id]": "PURCHASE",
        "activity[value]": " +36.900000000000006",
        "activity[transaction_timestamp]": "1772623800.0",
    }
    body = urlencode(fields).encode()

    assert client.record(member, body, **{"Content-Type": FORM}).status_code == 200

    is_kept_as_meant("k-1", "36.9")


def test_over_netcore(program, member, frozen):
    items = [
        f'{{"activity_name": "Purchase", "asset_id": "a", "timestamp": "{MOMENT}",'
        f' "identity": "ann", "activity_source": "web",'
        f' "activity_params": {{"place": {place}, "total": {literal}}}}}'
        for place, literal in enumerate(MEANT)
    ]

    response = NetcoreClient(program).upload(f"[{', '.join(items)}]".encode())

    assert response.status_code == 200, response.content
    rows = Activity.objects.all()
    kept = {row.data["activity_params"]["place"]: row.value for row in rows}
    assert kept == {place: Decimal(meant) for place, meant in enumerate(MEANT.values())}
    moments = set(rows.values_list("occurred_at", flat=True))
    assert moments == {NOON - timedelta(minutes=30)}
