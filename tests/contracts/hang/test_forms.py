"""Bodies as forms: the Swagger lists nothing else, so all clients may send them."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from activities.models import Activity
from tests.contracts.hang.client import FORM, recorded

pytestmark = pytest.mark.django_db
FIELDS = {
    "idempotency_key": "unique-key-101",
    "activity[activity_type_id]": "activity_type_1",
    "activity[value]": "50",
    "activity[transaction_timestamp]": "1772625600",
}
ITEM = {"item_id": "item_1", "value": 30, "group_id": "group_1"}
ITEMS = [
    pytest.param({"activity[line_items]": json.dumps([ITEM])}, id="a JSON list"),
    pytest.param({"activity[line_items]": [json.dumps(ITEM)] * 1}, id="JSON objects"),
    pytest.param({"activity[line_items][]": [json.dumps(ITEM)]}, id="with brackets"),
    pytest.param(
        {f"activity[line_items][0][{key}]": value for key, value in ITEM.items()},
        id="numbered",
    ),
    pytest.param(
        {f"activity[line_items][][{key}]": value for key, value in ITEM.items()},
        id="unnumbered",
    ),
]


def urlencoded(fields):
    from urllib.parse import urlencode

    return urlencode(fields, doseq=True).encode()


def multipart(fields):
    return encode_multipart(BOUNDARY, fields)


@pytest.mark.parametrize(
    ("encode", "content_type"),
    [
        pytest.param(urlencoded, FORM, id="urlencoded"),
        pytest.param(multipart, MULTIPART_CONTENT, id="multipart"),
    ],
)
class TestForms:
    def test_a_form_is_recorded_like_json(
        self, client, member, payload, encode, content_type
    ):
        body = encode(FIELDS)

        recorded(client.record(member, body, **{"Content-Type": content_type}))
        again = client.record(member, payload("purchase", line_items=...))

        assert again["Idempotency-Replayed"] == "true"

    @pytest.mark.parametrize("items", ITEMS)
    def test_line_items_may_be_spelled_in_every_way(
        self, client, member, encode, content_type, items
    ):
        body = encode({**FIELDS, **items})

        recorded(client.record(member, body, **{"Content-Type": content_type}))

        (line,) = Activity.objects.get().items
        assert line == {"item_id": "item_1", "value": "30", "group_id": "group_1"}

    @pytest.mark.parametrize("name", list(FIELDS))
    def test_every_required_field_is_required(
        self, client, member, encode, content_type, name
    ):
        body = encode({key: text for key, text in FIELDS.items() if key != name})

        response = client.record(member, body, **{"Content-Type": content_type})

        assert response.status_code == 400
        assert response.json() == {"message": "Missing required parameters."}

    @pytest.mark.parametrize(
        "fields",
        [
            {"activity[value][x]": "1"},
            {"activity": "text"},
            {"activity[a][b][c][d][e][f]": "1"},
            {"activity[line_items]": "[1, 2]"},
            {"activity[line_items]": "{"},
            {"activity[line_items][x]": "1"},
            {"activity[value]": ["1", "2"]},
            {"idempotency_key": "a\x00b"},
            {"activity[activity_type_id]": "\x00"},
        ],
        ids=str,
    )
    def test_a_form_that_makes_no_sense_is_refused(
        self, client, member, encode, content_type, fields
    ):
        body = encode({**FIELDS, **fields})

        response = client.record(member, body, **{"Content-Type": content_type})

        assert response.status_code == 400
        assert set(response.json()) == {"message"}
        assert not Activity.objects.exists()


def test_the_activity_may_be_json_in_one_field(client, member, payload):
    body = payload("purchase")
    form = urlencoded(
        {
            "idempotency_key": body["idempotency_key"],
            "activity": json.dumps(body["activity"]),
        }
    )

    recorded(client.record(member, form, **{"Content-Type": FORM}))


def test_a_file_is_refused(client, member):
    file = SimpleUploadedFile("a.txt", b"text")
    body = multipart({**FIELDS, "activity[line_items]": file})

    response = client.record(member, body, **{"Content-Type": MULTIPART_CONTENT})

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"no boundary", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"%ff%fe=%00&a[=1&]=2&[[]]=3", FORM),
        (b"=1&[]=2&[x]=3&[][]=4&a[][]=5&a[][b][]=6&a[][b]=7", FORM),
        (b"&" * 5_000, FORM),
        (b"a=1&" * 3_000, FORM),
    ],
)
def test_a_broken_form_is_refused_in_the_envelope(client, member, body, content_type):
    response = client.record(member, body, **{"Content-Type": content_type})

    assert response.status_code == 400
    assert set(response.json()) == {"message"}
