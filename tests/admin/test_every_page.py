"""Every registered page opens, quickly, for those who may see it."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities.models import (
    Activity,
    ActivityReversal,
    Interaction,
    MemberApp,
    Upload,
    UploadChunk,
    UploadRefusal,
)
from activities.services import record_activities, reverse_activities
from activities.services.interacting import interact
from activities.services.interactions import Interact
from activities.services.logins import log_in_member
from campaigns.models import (
    AssignedGroup,
    Campaign,
    CampaignGroup,
    CampaignUsage,
    ItemList,
    ListedItem,
    Quest,
    QuestOptIn,
)
from loyalty.models import (
    Account,
    ActivityType,
    AnonymousProfile,
    ApiKey,
    BusinessUnit,
    Channel,
    Completion,
    ConfigurationRevision,
    Entry,
    FrequencyPeriod,
    Lot,
    Member,
    MemberTier,
    Offer,
    Partner,
    Segment,
    SegmentMembership,
    Tag,
    Tier,
    Voucher,
    VoucherType,
    Wallet,
)
from tests.builders import (
    make_campaign,
    make_channel,
    make_item_list,
    make_member,
    make_method,
    make_program,
    make_quest,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_voucher,
    make_voucher_type,
    make_wallet,
    purchase,
)

OWN_MODELS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("loyalty", "campaigns", "activities")
]
READ_ONLY = [
    Account,
    Activity,
    ActivityReversal,
    AnonymousProfile,
    Completion,
    ConfigurationRevision,
    Entry,
    Interaction,
    Lot,
    MemberTier,
    QuestOptIn,
    UploadRefusal,
    Voucher,
]


def page(model, name, *args):
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=args)


def name_of(model):
    return model._meta.model_name


def fill(program, count):
    """Make ``count`` rows of everything in ``program``."""
    numbers = range(Member.objects.count(), Member.objects.count() + count)
    channel = Channel.objects.filter(program=program).first() or make_channel(program)
    period = FrequencyPeriod.objects.get(pk=2)
    make_type(program) if not ActivityType.objects.exists() else None
    now = timezone.now()
    for number in numbers:
        unit = make_unit(program, f"unit-{number}")
        make_channel(program, f"C{number}")
        tier = make_tier(program, f"Tier {number}", (number + 1) * 10)
        Partner.objects.create(program=program, name=f"Partner {number}")
        Tag.objects.create(program=program, name=f"Tag {number}")
        member = make_member(program, f"name-{number}", business_unit=unit)
        segment = make_segment(program, [member])
        make_type(program, f"TYPE{number}")
        make_wallet(program, code=f"w{number}", name=f"Wallet {number}")
        make_campaign(
            program,
            item_list=make_item_list(program, [f"item-{number}"]),
            channels=[channel],
            included_segments=[segment],
            cap_count=1,
            frequency_period=period,
            points_budget=1000,
            minimum_tier=tier,
            business_unit=unit,
        )
        make_campaign(program, cap_count=5, frequency_period=period)
        make_quest(program, {}, {"order": 2}, business_unit=unit)
        make_voucher(make_voucher_type(program, codes="listed"), member)
        ApiKey.objects.create_key(name=f"Key {number}", program=program)
        AnonymousProfile.objects.create(program=program, anonymous_id=f"a{number}")
        fill_with_files_and_people(program, member, number)
        commands = [
            purchase(
                member,
                "25",
                key=f"{number}-{turn}",
                channel=channel.code,
                occurred_at=now - timedelta(days=turn),
                received_at=now,
            )
            for turn in range(2)
        ]
        recorded = record_activities(program.pk, commands, now=now)
        reverse_activities(
            program.pk, [recorded[0].activity_id], now=now, reason="Returned"
        )
    assert Campaign.objects.exists()
    assert CampaignUsage.objects.count() >= 0
    assert SegmentMembership.objects.exists()
    assert Wallet.objects.exists()


def fill_with_files_and_people(program, member, number):
    """Make an upload, and somebody who is logged in to an app."""
    now = timezone.now()
    upload = Upload.objects.create(
        program=program, original_name=f"{number}.csv", format="csv", created_at=now
    )
    UploadRefusal.objects.create(upload=upload, line=1, code="x", message="No.")
    UploadChunk.objects.create(
        upload=upload, number=1, first_member="a", last_member="b", row_count=1
    )
    MemberApp.objects.create(hostname=f"app-{number}.example.com", program=program)
    log_in_member(member, hours=1, opened_by="test", now=now)
    group = CampaignGroup.objects.create(program=program, name=f"Group {number}")
    card = make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        points=0,
        group=group,
    )
    make_method(card)
    AssignedGroup.objects.create(
        program=program,
        name=f"Products {number}",
        kind="redeem",
        item_list=make_item_list(program, [f"product-{number}"]),
    )
    interact(program.pk, Interact(card.pk, member.pk, "api", mode="api"), now=now)


@pytest.fixture
def program(db):
    return make_program()


@pytest.fixture
def browser(client, admin_user):
    client.force_login(admin_user)
    return client


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    browser, program, subtests
):
    def queries_of(model):
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page(model, "changelist")).status_code == 200
        return [query["sql"] for query in found]

    # Rows are made once for all kinds: making them takes far longer than the pages.
    fill(program, 1)
    few = {}
    for model in OWN_MODELS:
        queries_of(model)  # fills the caches
        few[model] = queries_of(model)
    fill(program, 14)

    for model in OWN_MODELS:
        with subtests.test(model=name_of(model)):
            many = queries_of(model)
            assert len(many) <= len(few[model]), many


def test_a_row_opens(browser, program, subtests):
    fill(program, 2)

    for model in admin.site._registry:
        row = model._default_manager.order_by("-pk").first()
        if row is None:
            continue  # Nobody makes rows of this kind by hand.
        with subtests.test(model=name_of(model)):
            assert browser.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize(
    "model",
    [
        ActivityType,
        BusinessUnit,
        Campaign,
        Channel,
        ItemList,
        ListedItem,
        Partner,
        Quest,
        Segment,
        SegmentMembership,
        Tag,
        Tier,
        VoucherType,
        Wallet,
    ],
    ids=name_of,
)
def test_marketing_can_open_the_form_for_a_new_one(marketing, program, model):
    answer = marketing.get(page(model, "add"))

    assert answer.status_code == 200


@pytest.mark.parametrize("model", READ_ONLY, ids=name_of)
def test_nobody_adds_changes_or_deletes_what_is_kept_as_it_happened(
    rf, admin_user, model
):
    request = rf.get("/")
    request.user = admin_user
    pages = admin.site._registry[model]

    assert not pages.has_add_permission(request)
    assert not pages.has_change_permission(request)
    assert not pages.has_delete_permission(request)


def test_the_first_page_opens_before_there_is_a_program(browser):
    assert browser.get(reverse("admin:index")).status_code == 200


def test_the_first_page_opens_with_figures(browser, program):
    fill(program, 1)

    assert browser.get(reverse("admin:index")).status_code == 200


def test_every_page_is_of_the_theme():
    from unfold.admin import ModelAdmin

    for model, pages in admin.site._registry.items():
        assert isinstance(pages, ModelAdmin), model


def test_offers_have_pages_of_their_own_kind(browser, program):
    campaign = make_campaign(program)

    answer = browser.get(page(Campaign, "change", campaign.pk))

    assert campaign.name in answer.content.decode()
    assert Offer.objects.filter(pk=campaign.pk).exists()
