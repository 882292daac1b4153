"""The pages of quests: filling them in, publishing, archiving, looking at members."""

import pytest

from activities.models import Activity
from activities.services import record_activities
from campaigns.models import Quest, QuestOptIn, QuestRequirement
from loyalty.admin.confirming import CONFIRMED
from loyalty.models import Program
from tests.admin.forms import complaints, page, save
from tests.builders import (
    NOON,
    make_member,
    make_opt_in,
    make_program,
    make_quest,
    make_type,
    make_voucher_type,
    purchase,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def browser(client, admin_user):
    client.force_login(admin_user)
    return client


def requirement(program, number=0, **fields):
    """The fields of one requirement of the form for a new quest."""
    kind = program.offer_set.get(code="PURCHASE")
    values = {
        "description": "Three purchases",
        "order": "1",
        "activity_type": str(kind.pk),
        "value_threshold": "3",
        "measure": "activities",
        "restricted_to_ids": "",
        "check_in_interval_days": "",
        **fields,
    }
    return {f"requirements-{number}-{name}": text for name, text in values.items()}


def new(browser, program, **changes):
    return save(
        browser,
        page(Quest, "add"),
        **{
            "name": "Coffee week",
            "points": "100",
            "wallet": str(wallet_of(program).pk),
            "requirements-TOTAL_FORMS": "1",
            **requirement(program),
            **changes,
        },
    )


def test_a_new_quest_is_a_draft_with_its_requirements(browser, program):
    answer = new(browser, program)

    assert answer.status_code == 302, complaints(answer)
    quest = Quest.objects.get()
    assert (quest.status, quest.is_enabled, quest.kind) == ("draft", False, "quest")
    assert [str(one) for one in quest.requirements.all()] == ["Three purchases"]


def test_a_prize_is_a_voucher_if_one_is_chosen(browser, program):
    kind = make_voucher_type(program, name="Free coffee")
    prize = {"reward_method": "voucher", "points": "0"}

    without = new(browser, program, **prize)
    answer = new(browser, program, **prize, voucher_type=str(kind.pk))

    assert "Choose the voucher to win." in complaints(without)
    assert answer.status_code == 302, complaints(answer)
    assert Quest.objects.get().voucher_type == kind
    listed = browser.get(page(Quest, "changelist")).content.decode()
    assert "get the voucher “Free coffee”" in listed


def test_products_are_written_with_commas(browser, program):
    fields = requirement(program, measure="value", restricted_to_ids="tea,coffee")

    new(browser, program, **fields)

    assert QuestRequirement.objects.get().restricted_to_ids == ["tea", "coffee"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"value_threshold": "0"}, "What is to be reached is above zero."),
        (
            {"measure": "whole_value"},
            "“The whole value if a product is listed” needs products.",
        ),
        (
            {"check_in_interval_days": "3"},
            "The quest needs an end or a time to complete for this.",
        ),
    ],
)
def test_a_requirement_that_makes_no_sense_is_told(browser, program, fields, sentence):
    answer = new(browser, program, **requirement(program, **fields))

    assert sentence in complaints(answer)
    assert not Quest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"points": "0"}, "The prize is above zero."),
        (
            {"time_to_complete_minutes": "60", "completions_per_member": "2"},
            (
                "An automatic quest with a time to complete is completed once per "
                "member; let members opt in to repeat it."
            ),
        ),
    ],
)
def test_a_quest_that_makes_no_sense_is_told(browser, program, changes, sentence):
    assert sentence in complaints(new(browser, program, **changes))


def test_publishing_and_archiving_ask_first(browser, program):
    quest = make_quest(program, status="draft")

    for verb, status in (("publish", "published"), ("archive", "archived")):
        address = page(Quest, verb, quest.pk)
        question = browser.get(address)
        before = Quest.objects.get().status
        browser.post(address, {CONFIRMED: "yes"})

        quest.refresh_from_db()
        assert question.status_code == 200
        assert before != status
        assert (quest.status, quest.is_enabled) == (status, status == "published")


def test_a_quest_in_words_stands_in_the_list(browser, program):
    make_quest(program, {"description": "Buy tea"}, {"description": "Buy cake"})

    words = browser.get(page(Quest, "changelist")).content.decode()

    assert "members who do this earn 100" in words
    assert "Buy tea and Buy cake" in words


def test_a_participant_s_page_tells_how_far_it_is(browser, program):
    member = make_member(program)
    quest = make_quest(program)
    record_activities(program.pk, [purchase(member, "1")], now=NOON)

    opt_in = QuestOptIn.objects.get(quest=quest)
    words = browser.get(page(QuestOptIn, "change", opt_in.pk)).content.decode()

    assert "Three purchases: 1 of 3" in words
    assert "No prize yet." in words


def test_how_members_take_part_is_fixed_once_somebody_does(browser, program):
    quest = make_quest(program, opt_in_mode="by_call")
    address = page(Quest, "change", quest.pk)
    assert "opt_in_mode" in browser.get(address).context["adminform"].form.fields

    make_opt_in(quest, make_member(program))

    assert "opt_in_mode" not in browser.get(address).context["adminform"].form.fields


def test_a_quest_with_progress_keeps_its_requirements(browser, program):
    member = make_member(program)
    quest = make_quest(program)
    record_activities(program.pk, [purchase(member, "1")], now=NOON)
    address = page(Quest, "change", quest.pk)

    answer = save(browser, address, **{"requirements-0-DELETE": "on"})

    assert answer.status_code == 200
    assert QuestRequirement.objects.count() == 1


def test_a_quest_that_somebody_is_in_cannot_be_deleted(browser, program):
    quest = make_quest(program)
    make_opt_in(quest, make_member(program))

    words = browser.get(page(Quest, "delete", quest.pk)).content.decode()

    assert "Archive it instead" in words


def test_the_page_of_an_activity_tells_what_it_did_for_the_quest(browser, program):
    member = make_member(program)
    quest = make_quest(program, {"value_threshold": 2}, name="Coffee week")
    first, last = (
        one.activity_id
        for one in record_activities(
            program.pk, [purchase(member, "1"), purchase(member, "1")], now=NOON
        )
    )

    begun = browser.get(page(Activity, "change", first)).content.decode()
    done = browser.get(page(Activity, "change", last)).content.decode()

    assert "the quest goes on. Three purchases: 1 of 2 (1 more)." in begun
    assert "The quest is completed. Three purchases: 2 of 2 (1 more)." in done
    assert page(Quest, "change", quest.pk) in done
