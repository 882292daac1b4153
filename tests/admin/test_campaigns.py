"""Marketing changes campaigns without fear: asked first, told after, copied freely."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from activities.services import record_activities
from campaigns.models import Campaign
from campaigns.services.audience import audience_count
from loyalty.admin.moments import BAD_DATE
from loyalty.models import ActivityType, ConfigurationRevision, SegmentMembership
from tests.admin.forms import complaints, page, save, shown
from tests.builders import (
    NOON,
    make_campaign,
    make_channel,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    purchase,
)


@pytest.fixture
def program(db):
    program = make_program(time_zone="America/Phoenix")
    make_type(program)
    return program


def panel(client, campaign):
    return client.get(page(Campaign, "change", campaign.pk)).content.decode()


def test_a_new_campaign_starts_disabled_in_the_only_wallet(marketing, program):
    sent = shown(marketing, page(Campaign, "add"))

    assert sent["is_enabled"] is None
    assert sent["wallet"] == str(program.wallet_set.get().pk)


def test_a_date_without_a_time_is_its_midnight_on_the_programs_clock(
    marketing, program
):
    answer = save(
        marketing,
        page(Campaign, "add"),
        name="March",
        points="5",
        starts_at_0="1/3/2026",
        ends_at_0="31/3/2026",
    )

    assert answer.status_code == 302, complaints(answer)
    campaign = Campaign.objects.get()
    assert campaign.starts_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert campaign.ends_at == datetime(2026, 4, 1, 7, tzinfo=UTC)
    assert "From 1 Mar 2026 to 31 Mar 2026" in panel(marketing, campaign)


def test_a_time_without_a_date_is_refused(marketing, program):
    answer = save(
        marketing, page(Campaign, "add"), name="March", points="5", starts_at_1="08:00"
    )

    assert BAD_DATE in complaints(answer)


def test_the_page_of_a_live_campaign_warns_and_tells_what_it_gave(marketing, program):
    campaign = make_campaign(program, points=10)
    member = make_member(program)
    record_activities(program.pk, [purchase(member)], now=NOON)

    text = panel(marketing, campaign)

    assert "Members earn from it right now" in text
    assert "Given so far: <strong>10</strong> in 1 awards" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_enabled": False}, "Members earn nothing from it until it is enabled."),
        ({"starts_at": timedelta(days=1)}, "as soon as it starts"),
        ({"ends_at": -timedelta(days=1)}, "It is over."),
    ],
    ids=["disabled", "scheduled", "ended"],
)
def test_the_page_tells_what_a_campaign_that_is_not_live_does(
    marketing, program, fields, words
):
    now = timezone.now()
    moments = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in fields.items()
    }

    assert words in panel(marketing, make_campaign(program, **moments))


def test_a_copy_is_asked_for_and_disabled_and_keeps_the_rules(marketing, program):
    segment = make_segment(program)
    campaign = make_campaign(
        program,
        name="March",
        code="MARCH",
        points=7,
        points_budget=100,
        included_segments=[segment],
        channels=[make_channel(program)],
    )
    address = page(Campaign, "duplicate", campaign.pk)

    asked = marketing.get(address)
    assert Campaign.objects.count() == 1
    marketing.post(address, {"confirmed": "yes", "name": "April"})

    assert "Copy of March" in asked.content.decode()
    copy = Campaign.objects.exclude(pk=campaign.pk).get()
    assert (copy.name, copy.code, copy.is_enabled) == ("April", "", False)
    assert copy.points == Decimal(7)
    assert copy.points_budget == Decimal(100)
    assert [*copy.included_segments.all()] == [segment]
    assert copy.channels.count() == 1
    campaign.refresh_from_db()
    assert (campaign.name, campaign.code, campaign.is_enabled) == (
        "March",
        "MARCH",
        True,
    )


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [(False, "switch_on", True), (True, "switch_off", False)],
    ids=["on", "off"],
)
def test_a_switch_is_asked_about_before_it_is_moved(
    marketing, program, before, action, after
):
    campaign = make_campaign(program, is_enabled=before)
    address = page(Campaign, action, campaign.pk)

    asked = marketing.get(address)
    campaign.refresh_from_db()
    assert campaign.is_enabled is before
    done = marketing.post(address, {"confirmed": "yes"})

    assert asked.status_code == 200
    assert done.status_code == 302
    campaign.refresh_from_db()
    assert campaign.is_enabled is after


def test_several_offers_are_switched_off_at_once_after_asking(marketing, program):
    campaigns = [make_campaign(program, name=f"Number {n}") for n in range(3)]
    chosen = {"action": "disable", "_selected_action": [one.pk for one in campaigns]}

    asked = marketing.post(page(Campaign, "changelist"), chosen)
    assert Campaign.objects.filter(is_enabled=True).count() == 3
    marketing.post(page(Campaign, "changelist"), {**chosen, "confirmed": "yes"})

    assert "Number 2" in asked.content.decode()
    assert not Campaign.objects.filter(is_enabled=True).exists()


def test_a_change_makes_a_revision_that_names_who_made_it(marketing, marketer, program):
    kind = ActivityType.objects.get()

    save(marketing, page(ActivityType, "change", kind.pk), points="3")

    revision = ConfigurationRevision.objects.order_by("-number").first()
    assert "activity type" in revision.changed
    # A test is one transaction, and the first actor of a transaction stands.
    assert revision.actor in ("", marketer.username)


def test_a_campaign_that_has_paid_is_not_deleted_and_the_page_says_why(
    client, admin_user, program
):
    client.force_login(admin_user)
    campaign = make_campaign(program)
    record_activities(program.pk, [purchase(make_member(program))], now=NOON)
    address = page(Campaign, "delete", campaign.pk)

    asked = client.get(address)
    client.post(address, {"post": "yes"})

    assert "Disable it instead" in asked.content.decode()
    assert Campaign.objects.filter(pk=campaign.pk).exists()


@pytest.mark.parametrize("model", [Campaign, ActivityType])
def test_a_draft_that_never_paid_can_be_deleted_by_marketing(marketing, program, model):
    draft = (
        make_campaign(program, included_segments=[make_segment(program)])
        if model is Campaign
        else make_type(program, "DRAFT")
    )

    marketing.post(page(model, "delete", draft.pk), {"post": "yes"})

    assert not model.objects.filter(pk=draft.pk).exists()


def test_the_audience_is_who_is_in_and_high_enough_and_not_kept_out(program):
    gold = make_tier(program, "Gold", 100)
    silver = make_tier(program, "Silver", 10)
    ann = make_member(program, "ann", tier=gold)
    bob = make_member(program, "bob", tier=silver)
    cyd = make_member(program, "cyd", tier=gold)
    blocked = make_member(program, "dan", tier=gold, is_blocked=True)
    left = make_member(program, "eve", tier=gold)
    friends = make_segment(program, [ann, bob, cyd, blocked])
    SegmentMembership.objects.create(segment=friends, member=left, left_at=NOON)
    others = make_segment(program, [cyd])
    everyone = make_campaign(program)
    friends_only = make_campaign(program, included_segments=[friends])
    narrow = make_campaign(
        program,
        included_segments=[friends],
        excluded_segments=[others],
        minimum_tier=gold,
    )

    assert audience_count(everyone, NOON) == 4
    assert audience_count(friends_only, NOON) == 3
    assert audience_count(friends_only, NOON - timedelta(seconds=1)) == 4
    assert audience_count(narrow, NOON) == 1


def test_analysts_look_but_change_nothing(client, analyst, program):
    client.force_login(analyst)
    campaign = make_campaign(program)

    looked = client.get(page(Campaign, "change", campaign.pk))
    posted = client.post(page(Campaign, "change", campaign.pk), {"name": "Mine"})
    switched = client.post(
        page(Campaign, "switch_off", campaign.pk), {"confirmed": "yes"}
    )

    assert looked.status_code == 200
    assert posted.status_code == 403
    assert switched.status_code == 403
    campaign.refresh_from_db()
    assert campaign.is_enabled
