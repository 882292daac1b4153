"""How files are read, over HTTP: guesses, questions, saved mappings."""

import orjson
import pytest

from activities.models import Upload, UploadMapping
from activities.services import uploads
from tests.activities.api.test_uploads import send
from tests.builders import make_member, make_program, make_type, make_unit
from tests.callers import caller_for

pytestmark = pytest.mark.django_db

GERMAN = "Bon;Karte;Datum;Betrag\nB-1;0000479;01.02.2026 16:22;1.234,50\n"
COLUMNS = {"Bon": "key", "Karte": "member", "Datum": "occurred_at", "Betrag": "value"}
CONTENT = {
    "columns": COLUMNS,
    "constants": {"type": "PURCHASE"},
    "date_format": "dmy",
    "decimal_sign": ",",
    "thousands_sign": ".",
}


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    make_member(program, "0000479")
    return program


@pytest.fixture
def client(program):
    return caller_for(program)


@pytest.fixture(autouse=True)
def _workers(monkeypatch):
    """What is queued is done at once."""

    def check(upload_id):
        uploads.validate_upload(Upload.objects.get(pk=upload_id))

    monkeypatch.setattr("activities.tasks.enqueue_validation", check)


def state(client, upload):
    return client.get(f"uploads/{upload['id']}").json()


def test_a_foreign_file_stops_at_its_questions_and_goes_on_when_answered(
    program, client
):
    upload = send(program, GERMAN).json()
    waiting = state(client, upload)
    assert waiting["status"] == "questions"
    assert [one["code"] for one in waiting["questions"]] == ["columns"]

    reading = client.get(f"uploads/{upload['id']}/reading").json()
    assert reading["is_guess"]
    assert reading["header"] == list(COLUMNS)
    assert reading["mapping"]["columns"] == COLUMNS
    (row,) = reading["rows"]
    assert row["values"]["value"] == "1234.5"
    assert row["values"]["occurred_at"] == "1 Feb 2026, 16:22"
    assert row["problems"] == {}

    answer = client.post(
        f"uploads/{upload['id']}/reading",
        {"mapping": reading["mapping"], "save_as": "Tills"},
    )
    assert answer.status_code == 200
    done = state(client, upload)
    assert (done["status"], done["activities"], done["mapping"]) == (
        "validated",
        1,
        "Tills",
    )
    again = send(program, GERMAN.replace("B-1", "B-2")).json()
    assert state(client, again)["status"] == "validated"


def test_an_ambiguity_tells_count_examples_and_choices(program, client):
    rows = (
        "key;member;occurred_at;type;value\nK;0000479;2026-01-02 12:00;PURCHASE;1.000\n"
    )
    upload = send(program, rows).json()

    (question,) = state(client, upload)["questions"]
    assert (question["code"], question["count"]) == ("numbers", 1)
    assert question["examples"] == [{"line": 2, "column": "value", "text": "1.000"}]
    assert [one["answer"] for one in question["choices"]] == ["comma", "point"]

    path = f"uploads/{upload['id']}/reading"
    refused = client.post(path, {"answers": {}})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_mapping")
    assert client.post(path, {"answers": {"numbers": "comma"}}).status_code == 200
    assert state(client, upload)["dry_run"]["points"][0]["points"] == 1000


@pytest.mark.parametrize("is_named", [True, False], ids=["by name", "inline"])
def test_an_upload_names_its_mapping_or_brings_it_along(program, client, is_named):
    given = orjson.dumps(CONTENT).decode()
    if is_named:
        body = {"name": "Tills", "header": ["other"], "content": CONTENT}
        assert client.post("upload-mappings", body).status_code == 201
        given = "Tills"

    upload = send(program, GERMAN, mapping=given).json()

    assert state(client, upload)["status"] == "validated"


@pytest.mark.parametrize(
    ("mapping", "status"),
    [
        ("No such", 422),
        ("{", 400),
        ('{"columns": 1}', 422),
        ('{"colums": {}}', 422),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_the_file(
    program, mapping, status
):
    answer = send(program, GERMAN, mapping=mapping)

    assert answer.status_code == status, answer.json()
    assert not Upload.objects.exists()


def test_mappings_are_saved_listed_replaced_and_deleted(program, client):
    body = {"name": "Tills", "header": list(COLUMNS), "content": CONTENT}
    saved = client.post("upload-mappings", body).json()
    assert saved["content"]["columns"] == COLUMNS

    again = client.post("upload-mappings", body | {"header": ["x"]}).json()
    assert (again["id"], again["header"]) == (saved["id"], ["x"])
    (listed,) = client.get("upload-mappings").json()["results"]
    assert listed == again

    path = f"upload-mappings/{saved['id']}"
    assert client.get(path).json() == again
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "A", "header": ["a"]}, 400),
        ({"name": "A", "header": [], "content": {}}, 400),
        ({"name": "A", "header": [1], "content": {}}, 400),
        ({"name": 1, "header": ["a"], "content": {}}, 400),
        ({"name": "A", "header": ["a"], "content": []}, 400),
        ({"name": " ", "header": ["a"], "content": {}}, 422),
        ({"name": "A", "header": ["a"], "content": {"zone": "Mars"}}, 422),
        ({"name": "A", "header": ["a"], "content": {}, "more": 1}, 400),
    ],
)
def test_a_mapping_that_makes_no_sense_is_not_saved(client, body, status):
    assert client.post("upload-mappings", body).status_code == status
    assert not UploadMapping.objects.exists()


def test_another_programs_mapping_is_not_there(program, client):
    theirs = caller_for(make_program())
    body = {"name": "Tills", "header": ["a"], "content": CONTENT}
    saved = theirs.post("upload-mappings", body).json()

    assert client.get(f"upload-mappings/{saved['id']}").status_code == 404
    assert send(program, GERMAN, mapping="Tills").status_code == 422


def test_a_key_of_a_unit_reads_no_mappings(program):
    bound = caller_for(program, units=[make_unit(program)])
    answer = bound.get("upload-mappings")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"mapping": []}, 400),
        ({"answers": {"numbers": 1}}, 400),
        ({"save_as": 1}, 400),
        ({"more": 1}, 400),
        ({"mapping": {"columns": {"Bon": "nothing"}}}, 422),
        ({"mapping": {}, "answers": {"numbers": "perhaps"}}, 422),
    ],
)
def test_a_reading_that_makes_no_sense_changes_nothing(program, client, body, status):
    upload = send(program, GERMAN).json()

    answer = client.post(f"uploads/{upload['id']}/reading", body)

    assert answer.status_code == status, answer.json()
    assert state(client, upload)["status"] == "questions"
