"""What a person in a hurry would get wrong: the pages do not let it happen."""

import pytest

from activities.models import RuleSegment
from campaigns.models import Campaign, ListedItem, Quest
from loyalty.models import ActivityType, Channel, Segment, SegmentMembership
from tests.admin.forms import complaints, page, save, shown
from tests.builders import (
    NOON,
    make_campaign,
    make_channel,
    make_item_list,
    make_program,
    make_quest,
    make_segment,
    make_type,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def boss(client, admin_user):
    client.force_login(admin_user)
    return client


def words(client, address):
    return client.get(address).content.decode()


@pytest.mark.parametrize("link", ["included_segments", "excluded_segments"])
def test_a_segment_that_a_campaign_is_for_is_not_deleted(boss, program, link):
    segment = make_segment(program)
    make_campaign(program, name="Friends only", **{link: [segment]})
    address = page(Segment, "delete", segment.pk)

    asked = words(boss, address)
    boss.post(address, {"post": "yes"})

    assert "would be open to more without it: “Friends only”" in asked
    assert Segment.objects.filter(pk=segment.pk).exists()


def test_neither_are_segments_of_quests_channels_and_activity_types(boss, program):
    segment, channel = make_segment(program), make_channel(program)
    kind = make_type(program, "SURVEY")
    make_quest(program, included_segments=[segment])
    make_campaign(program, channels=[channel], activity_types=[kind])

    for row in (segment, channel, kind):
        boss.post(page(type(row), "delete", row.pk), {"post": "yes"})

    assert Segment.objects.filter(pk=segment.pk).exists()
    assert Channel.objects.filter(pk=channel.pk).exists()
    assert ActivityType.objects.filter(pk=kind.pk).exists()


def test_nor_are_several_at_once(boss, program):
    segment = make_segment(program)
    make_campaign(program, included_segments=[segment])

    boss.post(
        page(Segment, "changelist"),
        {
            "action": "delete_selected",
            "_selected_action": [segment.pk],
            "post": "yes",
        },
    )

    assert Segment.objects.filter(pk=segment.pk).exists()


def test_a_segment_that_nobody_names_is_deleted(boss, program):
    segment = make_segment(program)

    boss.post(page(Segment, "delete", segment.pk), {"post": "yes"})

    assert not Segment.objects.filter(pk=segment.pk).exists()


def test_the_question_before_a_draft_is_deleted_names_the_draft_alone(boss, program):
    draft = make_campaign(program, included_segments=[make_segment(program)])

    asked = words(boss, page(Campaign, "delete", draft.pk))

    assert draft.name in asked
    assert "relationship" not in asked


def test_points_that_were_forgotten_are_told(boss, program):
    forgotten = make_campaign(program, points=0)
    double = make_campaign(program, reward_method="multiplier", multiplier=1, points=0)

    told = "It pays nothing yet"
    assert told in words(boss, page(Campaign, "change", forgotten.pk))
    assert told not in words(boss, page(Campaign, "change", double.pk))


def test_campaigns_that_are_over_come_last(boss, program):
    make_campaign(program, name="Running")
    make_campaign(program, name="Over", ends_at=NOON)

    text = words(boss, page(Campaign, "changelist"))

    assert 0 < text.index(">Running<") < text.index(">Over<")


def test_a_new_requirement_counts_activities(boss, program):
    answer = boss.get(page(Quest, "add"))

    (requirements,) = answer.context["inline_admin_formsets"]
    form = requirements.formset.forms[0]
    assert form["measure"].value() == "activities"


def test_the_page_of_a_quest_tells_what_it_asks_for(boss, program):
    quest = make_quest(program, {"description": "Buy tea"}, status="draft")

    text = words(boss, page(Quest, "change", quest.pk))

    assert "members who do this earn 100" in text
    assert "Nobody can take part until it is published." in text


def test_one_name_is_enough_for_an_activity_type(boss, program):
    answer = save(
        boss,
        page(ActivityType, "add"),
        title="Survey",
        name="",
        code="SURVEY",
        points="5",
        wallet=str(wallet_of(program).pk),
    )

    assert answer.status_code == 302, complaints(answer)
    assert ActivityType.objects.get(code="SURVEY").name == "Survey"


def test_numbers_are_shown_without_empty_decimals(boss, program):
    campaign = make_campaign(program, points=100)

    assert shown(boss, page(Campaign, "change", campaign.pk))["points"] == "100"


@pytest.mark.parametrize(
    ("make", "model", "field"),
    [
        (make_segment, SegmentMembership, "segment"),
        (lambda program: make_item_list(program, []), ListedItem, "item_list"),
    ],
)
def test_a_row_is_added_to_the_list_one_came_from(boss, program, make, model, field):
    row = make(program)
    came_from = f"?_changelist_filters={field}__id__exact%3D{row.pk}"

    assert shown(boss, page(model, "add") + came_from)[field] == str(row.pk)


def test_a_member_put_into_a_segment_by_hand_enters_now_not_since_ever(boss, program):
    assert shown(boss, page(SegmentMembership, "add"))["entered_at_0"] != ""


def test_the_question_about_a_rule_segment_has_a_way_back(boss, program):
    segment = RuleSegment.objects.create(program=program, name="Often", code="often")

    asked = words(boss, page(RuleSegment, "refresh", segment.pk))

    assert "Cancel" in asked


def test_a_segment_that_nobody_uses_says_so(boss, program):
    segment = make_segment(program)

    assert "No campaign, no quest and no activity type." in words(
        boss, page(Segment, "change", segment.pk)
    )
