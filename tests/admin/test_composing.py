"""Composing campaigns in the admin: rows, sentences, copies and what is shown."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import Draw, Interaction
from activities.services.interacting import interact
from activities.services.interactions import Interact
from campaigns.models import AssignedGroup, Campaign, CampaignGroup, RewardMethod
from tests.admin.forms import complaints, page, save
from tests.builders import (
    NOON,
    make_campaign,
    make_item_list,
    make_member,
    make_method,
    make_program,
    make_segment,
    make_voucher_type,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def staff(admin_client, program):
    return admin_client


def scratch_card(program, **fields):
    return make_campaign(
        program,
        name="Scratch",
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        points=0,
        **fields,
    )


def change(campaign):
    return page(Campaign, "change", campaign.pk)


def test_rows_are_changed_added_and_removed(staff, program):
    campaign = scratch_card(program)
    kept = make_method(campaign, name="Points", weight=1)
    gone = make_method(campaign, name="Gone")

    answer = save(
        staff,
        change(campaign),
        **{
            "methods-TOTAL_FORMS": "3",
            "methods-0-weight": "5",
            "methods-1-DELETE": "on",
            "methods-2-name": "No luck",
            "methods-2-reward_method": "nothing",
            "methods-2-points": "0",
            "methods-2-per_value": "1",
            "methods-2-weight": "15",
            "methods-2-distribution": "basket_fixed",
            "methods-2-is_enabled": "on",
        },
    )

    assert answer.status_code == 302, complaints(answer)
    rows = RewardMethod.objects.order_by("pk")
    assert [(row.name, row.weight) for row in rows] == [("Points", 5), ("No luck", 15)]
    assert rows[0].pk == kept.pk
    assert rows[1].wallet == campaign.wallet
    assert not RewardMethod.objects.filter(pk=gone.pk).exists()
    shown = staff.get(change(campaign)).content.decode()
    assert "What can be won" in shown
    assert "Points · chance now 25 %, given 0 times" in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"handling": "independent", "methods-0-weight": "3"},
            "Chances belong to draws",
        ),
        ({"methods-0-weight": "0"}, None),
        ({"methods-0-reward_method": "per_value"}, "There is no value and no base"),
        ({"methods-0-minimum_value": "5"}, "Values belong to activities"),
        ({"methods-0-currencies": "EUR"}, "Currencies belong to activities"),
        ({"methods-0-distribution": "per_item"}, "Only a fixed number of points"),
        ({"methods-0-cap_count": "1"}, "A cap is 1 or more and needs a period."),
        ({"minimum_value": "5"}, "Values belong to activities"),
        ({"reward_method": "multiplier", "multiplier": "2"}, "There is no value"),
    ],
)
def test_what_cannot_go_together_is_refused_with_its_sentence(
    staff, program, changes, sentence
):
    campaign = scratch_card(program)
    make_method(campaign)

    answer = save(staff, change(campaign), **changes)

    if sentence is None:
        formset = answer.context["inline_admin_formsets"][0].formset
        told = " ".join(formset.non_form_errors())
        assert "needs a chance above 0" in told
        assert "needs a chance above 0" in answer.content.decode()
    else:
        assert sentence in " ".join(complaints(answer))


def test_the_context_stays_what_it_was(staff, program):
    campaign = scratch_card(program)

    save(staff, change(campaign), context="basket")

    campaign.refresh_from_db()
    assert campaign.context == "interaction"


def test_a_draft_without_methods_is_saved_but_not_enabled(staff, program):
    campaign = scratch_card(program, is_enabled=False)

    assert save(staff, change(campaign), name="Later").status_code == 302
    address = page(Campaign, "switch_on", campaign.pk)
    answer = staff.post(address, {"confirmed": "yes"}, follow=True)

    assert "cannot be enabled: Add an enabled reward method" in answer.content.decode()
    campaign.refresh_from_db()
    assert (campaign.name, campaign.is_enabled) == ("Later", False)


def test_a_copy_has_the_methods_and_all_links(staff, program):
    group = AssignedGroup.objects.create(
        program=program,
        name="Tea",
        kind="qualify",
        item_list=make_item_list(program, ["tea"]),
        required_matches=1,
    )
    campaign = make_campaign(program, reward_method="methods", context="basket")
    campaign.qualify_groups.set([group])
    friends = make_segment(program)
    kind = make_voucher_type(program)
    make_method(campaign, name="Voucher", reward_method="voucher", voucher_type=kind)
    make_method(campaign, name="Points", included_segments=[friends], points=3)

    address = page(Campaign, "duplicate", campaign.pk)
    staff.post(address, {"confirmed": "yes", "name": "Again"})

    copy = Campaign.objects.get(name="Again")
    assert not copy.is_enabled
    assert list(copy.qualify_groups.all()) == [group]
    voucher, points = copy.methods.order_by("pk")
    assert (voucher.voucher_type_id, int(points.points)) == (kind.pk, 3)
    assert list(points.included_segments.all()) == [friends]
    assert campaign.methods.count() == 2


def test_what_methods_gave_counts_for_their_campaign(staff, program):
    campaign = scratch_card(program)
    make_method(campaign, name="Points", points=500, usage_limit=10)
    member = make_member(program)

    command = Interact(campaign_id=campaign.pk, member_id=member.pk, source="test")
    interact(program.pk, command, now=NOON)

    listed = staff.get(page(Campaign, "changelist")).content.decode()
    assert ">500<" in "".join(listed.split())
    shown = staff.get(change(campaign)).content.decode()
    assert "Points · chance now 100 %, 9 left, given 1 times" in shown
    draw = Draw.objects.get()
    played = staff.get(page(Interaction, "change", draw.activity_id)).content.decode()
    assert "Why: every offer that was considered" in played
    drawn = staff.get(page(Draw, "change", draw.pk)).content.decode()
    assert "Points: 100 % (weight 1 of 1)" in drawn
    assert draw.seed in drawn
    refused = staff.post(page(Draw, "delete", draw.pk), {"post": "yes"})
    assert refused.status_code == 403


def test_lists_ask_as_much_for_many_as_for_one(staff, program):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            staff.get(page(Campaign, "changelist"))
            staff.get(page(Draw, "changelist"))
            staff.get(page(CampaignGroup, "changelist"))
            staff.get(page(AssignedGroup, "changelist"))
        return len(asked)

    def fill(name):
        items = make_item_list(program, [])
        AssignedGroup.objects.create(
            program=program, name=name, kind="redeem", item_list=items
        )
        group = CampaignGroup.objects.create(program=program, name=name)
        campaign = scratch_card(program, group=group)
        kind = make_voucher_type(program, code=name)
        make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)
        member = make_member(program)
        command = Interact(campaign_id=campaign.pk, member_id=member.pk, source="test")
        interact(program.pk, command, now=NOON)

    fill("a")
    queries()
    few = queries()
    for name in "bcd":
        fill(name)

    assert queries() == few


def test_a_group_tells_its_campaigns_and_whether_it_runs(staff, program):
    group = CampaignGroup.objects.create(program=program, name="Spring", ends_at=NOON)
    make_campaign(program, name="Tea weeks", group=group)

    listed = staff.get(page(CampaignGroup, "changelist")).content.decode()
    shown = staff.get(page(CampaignGroup, "change", group.pk)).content.decode()

    assert "Completed" in listed
    assert "Tea weeks" in shown


def test_what_is_wrong_with_a_whole_row_is_said_on_the_page(staff, program):
    campaign = scratch_card(program)
    make_method(campaign, name="Points")

    answer = save(staff, change(campaign), **{"methods-0-points": "-5"})

    sentence = "<strong>Reward method 1:</strong> Points cannot be negative."
    assert sentence in answer.content.decode()


def test_a_voucher_that_nobody_chose_is_asked_for_where_it_stands(staff, program):
    campaign = scratch_card(program)
    make_method(campaign, name="Coffee")

    answer = save(staff, change(campaign), **{"methods-0-reward_method": "voucher"})

    assert complaints(answer) == ["Choose the voucher that it gives."]


def test_only_what_activities_set_off_is_tried_on_them(staff, program):
    card, offer = scratch_card(program), make_campaign(program)

    of_card, of_offer = (
        staff.get(change(one)).content.decode() for one in (card, offer)
    )

    for name in ("try_out", "backtest"):
        assert page(Campaign, name, card.pk) not in of_card
        assert page(Campaign, name, offer.pk) in of_offer
