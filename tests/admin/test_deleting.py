"""Deleting: refused at once, and offered only where it can be done."""

import time

import pytest
from django.contrib import admin
from django.contrib.admin.utils import NestedObjects
from django.db import connection
from django.db.models.deletion import Collector
from django.test.utils import CaptureQueriesContext

from activities.services import record_activities
from campaigns.models import Campaign, ItemList, ListedItem
from loyalty.models import Program, Segment, Tier
from tests.admin.forms import page, save
from tests.admin.test_every_page import fill
from tests.builders import (
    NOON,
    make_campaign,
    make_item_list,
    make_member,
    make_method,
    make_program,
    make_segment,
    make_tier,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

MODELS = list(admin.site._registry)


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def collects_nothing(monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("Rows were collected before the answer.")

    monkeypatch.setattr(NestedObjects, "collect", refuse)
    return refuse


def earn(program, campaign_fields, count=1):
    make_type(program)
    campaign = make_campaign(program, **campaign_fields)
    member = make_member(program)
    commands = [purchase(member, "1") for _ in range(count)]
    record_activities(program.pk, commands, now=NOON)
    return campaign


def test_no_delete_page_collects_what_hangs_on_a_row(
    admin_client, program, collects_nothing
):
    fill(program, 2)

    for model in MODELS:
        row = model._default_manager.order_by("-pk").first()
        if row is None:
            continue
        with CaptureQueriesContext(connection) as queries:
            answer = admin_client.get(page(model, "delete", row.pk))
        assert answer.status_code in (200, 403), model
        assert len(queries) < 30, model
        if answer.status_code == 200:
            change = admin_client.get(page(model, "change", row.pk)).content.decode()
            is_offered = page(model, "delete", row.pk) in change
            assert is_offered is not bool(answer.context["protected"]), model


def test_the_action_that_deletes_several_collects_nothing_either(
    admin_client, program, collects_nothing
):
    fill(program, 2)

    for model in MODELS:
        rows = [str(one.pk) for one in model._default_manager.order_by("-pk")[:2]]
        sent = {"action": "delete_selected", "_selected_action": rows}
        answer = admin_client.post(page(model, "changelist"), sent)
        assert answer.status_code in (200, 302, 403), model


def test_programs_are_never_deleted(admin_client, program):
    sent = {"post": "yes"}
    several = {
        "action": "delete_selected",
        "_selected_action": [program.pk],
        "post": "yes",
    }

    assert admin_client.get(page(Program, "delete", program.pk)).status_code == 403
    assert (
        admin_client.post(page(Program, "delete", program.pk), sent).status_code == 403
    )
    admin_client.post(page(Program, "changelist"), several)
    assert Program.objects.filter(pk=program.pk).exists()


def test_what_keeps_a_row_is_named(admin_client, program):
    tier = make_tier(program, "Gold", 100)
    make_member(program, tier=tier)

    asked = admin_client.get(page(Tier, "delete", tier.pk)).content.decode()

    assert "“Gold” cannot be deleted, because members refer to it." in asked


def test_a_campaign_that_paid_cannot_be_deleted_and_says_what_to_do(
    admin_client, program
):
    campaign = earn(program, {"points": 5})

    answer = admin_client.post(page(Campaign, "delete", campaign.pk), {"post": "yes"})

    assert "Disable it instead" in answer.content.decode()
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def test_what_goes_along_is_counted(admin_client, program):
    items = make_item_list(program, ["a", "b", "c"])

    answer = admin_client.get(page(ItemList, "delete", items.pk))

    assert dict(answer.context["model_count"])["listed items"] == 3


def test_a_person_must_be_allowed_to_delete_what_goes_along(client, staff_of, program):
    items = make_item_list(program, ["a"])
    marketer = staff_of("Marketing")
    from django.contrib.auth.models import Group, Permission

    Group.objects.get(name="Marketing").permissions.remove(
        *Permission.objects.filter(codename="delete_listeditem")
    )
    client.force_login(marketer)

    answer = client.post(page(ItemList, "delete", items.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert ItemList.objects.filter(pk=items.pk).exists()


def test_a_list_of_many_products_is_deleted_in_few_statements(admin_client, program):
    items = make_item_list(program, [])
    ListedItem.objects.bulk_create(
        ListedItem(item_list=items, item_id=f"p{number}") for number in range(5_000)
    )

    with CaptureQueriesContext(connection) as queries:
        admin_client.post(page(ItemList, "delete", items.pk), {"post": "yes"})

    assert not ItemList.objects.filter(pk=items.pk).exists()
    assert not ListedItem.objects.filter(item_list=items.pk).exists()
    assert len(queries) < 40


def test_a_row_that_came_to_be_needed_meanwhile_stays(
    admin_client, program, monkeypatch
):
    segment = make_segment(program)
    tier = make_tier(program, "Gold", 100)
    make_member(program, tier=tier)
    monkeypatch.setattr("loyalty.admin.deleting.what_protects", lambda _: [])

    answer = admin_client.post(
        page(Tier, "delete", tier.pk), {"post": "yes"}, follow=True
    )
    several = admin_client.post(
        page(Tier, "changelist"),
        {"action": "delete_selected", "_selected_action": [tier.pk], "post": "yes"},
    )

    assert "Nothing was deleted." in answer.content.decode()
    assert several.status_code == 302
    assert Tier.objects.filter(pk=tier.pk).exists()
    assert Segment.objects.filter(pk=segment.pk).exists()


def test_a_reward_method_that_paid_is_not_deleted_from_its_campaign(
    admin_client, program, collects_nothing
):
    make_type(program)
    campaign = make_campaign(program, reward_method="methods", points=0)
    method = make_method(campaign)
    record_activities(program.pk, [purchase(make_member(program), "1")], now=NOON)
    address = page(Campaign, "change", campaign.pk)

    answer = save(admin_client, address, **{"methods-0-DELETE": "on"})

    assert answer.status_code == 200
    assert "cannot be deleted" in answer.content.decode()
    assert campaign.methods.filter(pk=method.pk).exists()


@pytest.mark.slow
def test_a_campaign_with_100_000_awards_refuses_within_a_second(admin_client, program):
    campaign = earn(program, {"points": 5})
    many_awards(campaign, 100_000)

    started = time.process_time()
    answer = admin_client.get(page(Campaign, "delete", campaign.pk))
    asked = time.process_time() - started
    answer_to_post = admin_client.post(
        page(Campaign, "delete", campaign.pk), {"post": "yes"}
    )

    assert answer.context["protected"]
    assert answer_to_post.context["protected"]
    assert asked < 1


def many_awards(campaign, count):
    """Copy the campaign's one award so that there are ``count`` of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM "
            "information_schema.columns WHERE table_name = 'loyalty_entry' "
            "AND column_name <> 'id'"
        )
        names = cursor.fetchone()[0]
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO loyalty_entry ({names}) SELECT {names} FROM loyalty_entry "
            "CROSS JOIN generate_series(2, %s) WHERE offer_id = %s",
            [count, campaign.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def test_the_test_above_would_notice(program, collects_nothing):
    with pytest.raises(RuntimeError):
        NestedObjects("default").collect([program])
    assert issubclass(NestedObjects, Collector)
