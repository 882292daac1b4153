"""The page on which a marketer says how a till's export is read."""

import pytest
from django.urls import reverse

from activities import tasks
from activities.models import Upload, UploadMapping, UploadStatus
from activities.services import uploads
from tests.activities.uploads.files import checked
from tests.builders import make_member, make_program, make_type

pytestmark = pytest.mark.django_db

TILL = (
    "Bon-Nr.;Kundennummer;Datum;Vorgang;Betrag\r\n"
    "B-1;0000479;29.01.2026 16:22;Einkauf;1.234,50\r\n"
    "B-2;0000480;30.01.2026 9:05;Storno;12,50\r\n"
)
NATIVE = (
    "key;member;occurred_at;type;value\nK;0000479;2026-01-02 12:00;PURCHASE;1.000\n"
)


@pytest.fixture
def program(db):
    program = make_program(name="Shop club", time_zone="Europe/Berlin")
    make_type(program)
    make_member(program, "0000479")
    return program


@pytest.fixture(autouse=True)
def _workers(monkeypatch):
    def check(upload_id):
        uploads.validate_upload(Upload.objects.get(pk=upload_id))

    monkeypatch.setattr(tasks, "enqueue_validation", check)


def page(name, upload):
    return reverse(f"admin:activities_upload_{name}", args=[upload.pk])


def text_of(answer):
    return " ".join(answer.content.decode().split())


def posted(client, upload):
    """Return what the form would send as it stands."""
    form = client.get(page("reading", upload)).context["form"]
    return {
        name: "" if form[name].initial is None else form[name].initial
        for name in form.fields
    }


def test_a_foreign_file_leads_to_the_page_with_guesses_and_first_rows(
    marketing, program
):
    upload = checked(program, TILL, "till_november.csv")

    answer = marketing.get(page("change", upload), follow=True)

    assert answer.redirect_chain[0][0] == page("reading", upload)
    text = text_of(answer)
    assert "How “till_november.csv” is read" in text
    assert "29 Jan 2026, 16:22" in text
    assert "1234.5" in text
    assert "“Storno” is not a code of this program." in text
    assert posted(marketing, upload)["column_0"] == "key"


def test_the_form_sent_as_it_stands_checks_the_file_and_saves_the_mapping(
    marketing, program
):
    upload = checked(program, TILL)

    answer = marketing.post(
        page("reading", upload), posted(marketing, upload) | {"save_as": "Tills"}
    )

    assert answer["Location"] == page("change", upload)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATED
    assert (upload.activity_count, upload.refused_count) == (1, 1)
    saved = UploadMapping.objects.get()
    assert (saved.name, saved.updated_by) == ("Tills", "marketing")
    text = text_of(marketing.get(page("change", upload)))
    assert "as saved under “Tills”" in text
    assert "Change how the file is read…" in text


def test_a_change_shows_in_the_first_rows_before_anything_is_sent(marketing, program):
    upload = checked(program, TILL)

    form = posted(marketing, upload) | {"numbers": ".,", "column_2": ""}
    text = text_of(marketing.post(page("preview", upload), form))

    assert "“1.234,50” is not a number like 1,234.50" in text
    assert "No column is the date and time yet." in text
    upload.refresh_from_db()
    assert upload.status == UploadStatus.QUESTIONS


def test_a_word_of_the_file_is_given_a_code(marketing, program):
    make_type(program, "RETURN")
    upload = checked(program, TILL)
    form = posted(marketing, upload)
    (name,) = [
        name
        for name, (_, text) in marketing.get(page("reading", upload))
        .context["form"]
        .texts.items()
        if text == "Storno"
    ]

    marketing.post(page("reading", upload), form | {name: "RETURN"})

    upload.refresh_from_db()
    assert upload.mapping["translations"]["type"] == {
        "Einkauf": "PURCHASE",
        "Storno": "RETURN",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"column_0": ""}, "what the receipt number is"),
        ({"column_1": "key"}, "Two columns cannot both be “key”"),
        ({"zone": "Mars"}, "is not a time zone"),
        ({"constant_type": "PURCHASE"}, "has a fixed value too"),
        ({"column_0": "nonsense"}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_said_on_the_page(marketing, program, change, sentence):
    upload = checked(program, TILL)

    answer = marketing.post(page("reading", upload), posted(marketing, upload) | change)

    assert answer.status_code == 200
    assert sentence in text_of(answer)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.QUESTIONS


def test_another_separator_opens_the_file_anew(marketing, program):
    content = "sep=,\nBon;Karte,Datum;Zeit,Betrag\nB;1,x;y,5\n"
    upload = checked(program, content)

    marketing.post(
        page("reading", upload),
        posted(marketing, upload)
        | {"delimiter": ";", "column_0": "key", "column_1": "member"}
        | {"column_2": "occurred_at", "date_format": "dmy", "numbers": ",."},
    )

    upload.refresh_from_db()
    assert upload.sample["header"] == ["Bon", "Karte,Datum", "Zeit,Betrag"]
    assert marketing.get(page("reading", upload)).status_code == 200


def test_a_question_is_asked_with_examples_and_must_be_answered(marketing, program):
    upload = checked(program, NATIVE)
    text = text_of(marketing.get(page("change", upload)))
    assert "could be thousands or decimals" in text
    assert "<td>1.000</td>" in text
    assert "Award the points" not in text

    answer = marketing.post(page("answers", upload), {}, follow=True)
    assert "Choose an answer." in text_of(answer)

    marketing.post(page("answers", upload), {"answer_numbers": "comma"})
    upload.refresh_from_db()
    assert upload.status == UploadStatus.VALIDATED
    assert upload.dry_run["points"][0]["points"] == 1000


def test_who_only_looks_sees_the_question_and_cannot_answer(client, analyst, program):
    client.force_login(analyst)
    upload = checked(program, NATIVE)
    foreign = checked(program, TILL)

    assert "Somebody who may change uploads" in text_of(
        client.get(page("change", upload))
    )
    assert client.get(page("change", foreign)).status_code == 200
    assert client.get(page("reading", foreign)).status_code == 403
    assert client.post(page("preview", foreign), {}).status_code == 403
    assert (
        client.post(page("answers", upload), {"answer_numbers": "comma"}).status_code
        == 403
    )


def test_a_confirmed_file_is_not_read_otherwise(marketing, program):
    upload = checked(program, NATIVE.replace("1.000", "1"))
    uploads.confirm_upload(upload, actor="x", now=upload.created_at)

    answer = marketing.get(page("reading", upload), follow=True)

    assert marketing.post(page("preview", upload), {}).status_code == 204
    assert "cannot be changed any more" in text_of(answer)


def test_saved_mappings_are_listed_renamed_and_deleted(marketing, program):
    upload = checked(program, TILL)
    marketing.post(
        page("reading", upload), posted(marketing, upload) | {"save_as": "Tills"}
    )
    saved = UploadMapping.objects.get()
    address = reverse("admin:activities_uploadmapping_change", args=[saved.pk])

    shown = text_of(marketing.get(address))
    assert "“Bon-Nr.” is the receipt number" in shown
    listed = marketing.get(reverse("admin:activities_uploadmapping_changelist"))
    assert "Bon-Nr., Kundennummer" in text_of(listed)

    gone = reverse("admin:activities_uploadmapping_delete", args=[saved.pk])
    marketing.post(gone, {"post": "yes"})
    assert not UploadMapping.objects.exists()
    upload.refresh_from_db()
    assert upload.saved_mapping is None
