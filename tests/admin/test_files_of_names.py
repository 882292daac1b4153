"""Segments and product lists are filled from files; segments show it first."""

import io
from datetime import UTC, datetime

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import ItemList
from loyalty.models import ConfigurationRevision, Segment
from tests.admin.forms import page
from tests.builders import make_item_list, make_member, make_program, make_segment


@pytest.fixture
def segment(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    program = make_program()
    members = [make_member(program, name) for name in ("ann", "bob", "cyd")]
    return make_segment(program, members[:1], name="Friends")


def names_in(segment):
    stays = segment.memberships.filter(left_at=None)
    return sorted(one.member.identities.get().value for one in stays)


def upload(client, row, text, **answers):
    defaults = {
        "confirmed": "yes",
        "identity_kind": "customer_id",
        "change": "add",
        "at_0": "1/3/2026",
        "at_1": "12:00",
        "file": SimpleUploadedFile("names.csv", text.encode()),
    }
    address = page(type(row), "upload_file", row.pk)
    return client.post(address, {**defaults, **answers})


def confirm(client, segment, answer):
    token = answer.context["form"].initial["token"]
    address = page(Segment, "upload_file", segment.pk)
    return client.post(address, {"confirmed": "yes", "token": token})


def waiting_files():
    return default_storage.listdir("segment-files")[1]


def test_a_file_is_shown_with_its_unknown_names_before_anything_changes(
    marketing, segment
):
    revisions = ConfigurationRevision.objects.count()

    answer = upload(marketing, segment, "ann\nbob\nzoe\n")

    text = answer.content.decode()
    assert "3 lines, 2 known members: 1 enter, 0 leave" in text
    assert "Belongs to nobody: zoe" in text
    assert names_in(segment) == ["ann"]
    assert ConfigurationRevision.objects.count() == revisions


def test_a_confirmed_file_does_what_was_shown_and_is_thrown_away(marketing, segment):
    answer = upload(marketing, segment, "bob\ncyd\n")

    confirm(marketing, segment, answer)

    assert names_in(segment) == ["ann", "bob", "cyd"]
    stay = segment.memberships.get(member__identities__value="bob")
    assert stay.entered_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert waiting_files() == []


def test_replacing_lets_everybody_else_leave(marketing, segment):
    answer = upload(marketing, segment, "cyd\n", change="replace")

    confirm(marketing, segment, answer)

    assert names_in(segment) == ["cyd"]


def test_a_second_press_of_the_button_does_nothing_and_says_so(marketing, segment):
    answer = upload(marketing, segment, "bob\n")
    confirm(marketing, segment, answer)

    again = confirm(marketing, segment, answer)

    assert names_in(segment) == ["ann", "bob"]
    page_after = marketing.get(again["Location"]).content.decode()
    assert "used already" in page_after


def test_a_newer_file_replaces_the_one_that_waits(marketing, segment):
    older = upload(marketing, segment, "bob\n")
    upload(marketing, segment, "cyd\n")

    confirm(marketing, segment, older)

    assert names_in(segment) == ["ann"]
    assert len(waiting_files()) == 1


def test_somebody_elses_token_opens_nothing(marketing, segment):
    default_storage.save("segment-files/guessed.csv", ContentFile(b"bob"))

    marketing.post(
        page(Segment, "upload_file", segment.pk),
        {"confirmed": "yes", "token": "guessed"},
    )

    assert names_in(segment) == ["ann"]
    default_storage.delete("segment-files/guessed.csv")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"\xef\xbb\xbfb\xff", "not UTF-8", id="another encoding"),
        pytest.param(b"x" * 300, "more than 255", id="a name too long"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"a\x00b\n", "it is not text", id="a zero"),
    ],
)
def test_a_file_that_is_no_list_is_told_what_is_wrong(
    marketing, segment, content, sentence
):
    answer = upload(marketing, segment, "", file=SimpleUploadedFile("x.csv", content))

    assert sentence in answer.content.decode()
    assert names_in(segment) == ["ann"]


def test_analysts_fill_nothing(client, analyst, segment):
    client.force_login(analyst)

    assert upload(client, segment, "bob\n").status_code == 403


def test_the_segment_tells_who_uses_it(marketing, segment):
    from tests.builders import make_campaign

    make_campaign(segment.program, name="For friends", included_segments=[segment])
    make_campaign(segment.program, name="Not friends", excluded_segments=[segment])

    text = marketing.get(page(Segment, "change", segment.pk)).content.decode()

    assert "For friends" in text
    assert "Not friends" in text


def test_a_hundred_thousand_products_go_onto_a_list_in_one_change(marketing, db):
    item_list = make_item_list(make_program(), ["old"])
    text = "\n".join(f"product-{number}" for number in range(100_000))

    shown = upload(marketing, item_list, text, change="replace")
    assert "Line 1: product-0" in shown.content.decode()
    assert item_list.items.get().item_id == "old"
    token = shown.context["form"].initial["token"]
    answer = marketing.post(
        page(ItemList, "upload_file", item_list.pk),
        {"confirmed": "yes", "token": token},
    )

    assert answer.status_code == 302
    assert item_list.items.count() == 100_000
    assert not item_list.items.filter(item_id="old").exists()
    assert marketing.get(page(ItemList, "changelist")).status_code == 200


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return SimpleUploadedFile("members.xlsx", buffer.getvalue())


def test_an_excel_file_fills_a_segment(marketing, segment):
    answer = upload(
        marketing,
        segment,
        "",
        file=workbook(["customer"], ["bob"], ["cyd"]),
        has_heading="on",
    )
    confirm(marketing, segment, answer)

    assert names_in(segment) == ["ann", "bob", "cyd"]


def test_separators_are_told_from_the_rows_not_from_the_heading_alone(
    marketing, segment
):
    text = upload(marketing, segment, "id,x\nbob;1\ncyd;2\n", has_heading="on")

    assert "2 lines, 2 known members" in text.content.decode()


def test_a_heading_of_products_is_recognized_and_left_out(marketing, db):
    item_list = make_item_list(make_program(), [])

    shown = upload(
        marketing, item_list, "", file=workbook(["Artikelnummer"], [4006381333931])
    )
    assert "Artikelnummer (looks like a heading" in shown.content.decode()
    initial = shown.context["form"].initial
    marketing.post(
        page(ItemList, "upload_file", item_list.pk),
        {"confirmed": "yes", "token": initial["token"], "has_heading": "on"},
    )

    assert [one.item_id for one in item_list.items.all()] == ["4006381333931"]


@pytest.mark.parametrize(
    ("name", "written"), [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("-5", "-5")]
)
def test_a_downloaded_list_carries_no_live_formula_and_comes_back(
    marketing, db, name, written
):
    item_list = make_item_list(make_program(), [name])

    answer = marketing.get(page(ItemList, "download", item_list.pk))
    content = b"".join(answer.streaming_content).decode()
    assert content == f"{written}\n"

    other = make_item_list(item_list.program, ["x"])
    shown = upload(marketing, other, content, change="replace")
    marketing.post(
        page(ItemList, "upload_file", other.pk),
        {"confirmed": "yes", "token": shown.context["form"].initial["token"]},
    )
    assert [one.item_id for one in other.items.all()] == [name]
