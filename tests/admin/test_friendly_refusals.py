"""Every rule of the database is told on the form, in a sentence; nothing is a 500."""

from decimal import Decimal

import pytest
from django.db.models import CheckConstraint, UniqueConstraint

from campaigns.models import Campaign, ItemList, ListedItem
from loyalty.models import (
    ActivityType,
    ApiKey,
    BusinessUnit,
    Channel,
    FrequencyPeriod,
    Member,
    Offer,
    Partner,
    Program,
    Segment,
    SegmentMembership,
    Tag,
    Tier,
    Wallet,
)
from tests.admin.forms import complaints, page, save
from tests.builders import (
    make_campaign,
    make_channel,
    make_item_list,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_unit,
    make_wallet,
)

DAY = 2  # the number of the calendar day among the frequency periods


@pytest.fixture
def program(db):
    program = make_program(code="taken")
    make_wallet(program, code="taken", name="Taken")
    make_type(program, "TAKEN")
    make_campaign(program, code="TAKEN", name="Taken")
    make_unit(program, "taken")
    make_channel(program, "TAKEN")
    make_tier(program, "Taken", 100)
    Partner.objects.create(program=program, name="Taken")
    Tag.objects.create(program=program, name="Taken")
    member = make_member(program, "taken")
    make_segment(program, [member], code="taken", name="Taken")
    make_item_list(program, ["taken"])
    return program


@pytest.fixture
def browser(client, admin_user, program):
    client.force_login(admin_user)
    return client


CAMPAIGN = {"name": "New", "points": "5"}
TYPE = {"name": "New", "title": "New", "code": "NEW", "points": "1"}
WALLET = {"name": "New", "code": "new"}

REFUSED = [
    (Program, {"name": "New", "code": "taken"}, "with this Code already exists"),
    (
        Program,
        {"name": "New", "code": "new", "time_zone": "Phoenix"},
        "not a time zone",
    ),
    (Wallet, {**WALLET, "code": "taken"}, "has a wallet with this code"),
    (Wallet, {**WALLET, "decimals": "5"}, "at most 4 decimals"),
    (Wallet, {**WALLET, "expiry_count": "3"}, "“Never” goes with 0"),
    (Wallet, {**WALLET, "expiry_model": "days"}, "needs a number of 1 or more"),
    (BusinessUnit, {"name": "New", "code": "taken"}, "unit with this code"),
    (BusinessUnit, {"name": "Taken", "code": "new"}, "unit with this name"),
    (Channel, {"name": "New", "code": "TAKEN"}, "channel with this code"),
    (Partner, {"name": "Taken"}, "partner with this name"),
    (Tag, {"name": "Taken"}, "tag with this name"),
    (Tier, {"name": "Taken", "threshold": "7"}, "tier with this name"),
    (Tier, {"name": "New", "threshold": "100"}, "Another tier starts"),
    (Tier, {"name": "New", "threshold": "-1"}, "greater than or equal to 0"),
    (Segment, {"name": "New", "code": "taken"}, "segment with this code"),
    (Segment, {"name": "Taken", "code": "new"}, "segment with this name"),
    (ItemList, {"name": "New", "code": "LIST"}, "list with this code"),
    (ActivityType, {**TYPE, "code": "TAKEN"}, "code is taken"),
    (ActivityType, {**TYPE, "code": ""}, "needs a code"),
    (ActivityType, {**TYPE, "points": "1.5"}, "counts 0 decimals"),
    (ActivityType, {**TYPE, "segment": "SEGMENT"}, "lets members in or keeps them out"),
    (ActivityType, {**TYPE, "segment_mode": "inclusion"}, "Say whether the segment"),
    (ActivityType, {**TYPE, "reward_method": "multiplier"}, "not one of the available"),
    (ActivityType, {**TYPE, "redirect_url": " JavaScript:x()"}, "may not be a script"),
    (Campaign, {**CAMPAIGN, "code": "TAKEN"}, "code is taken"),
    (Campaign, {**CAMPAIGN, "points": "-1"}, "cannot be negative"),
    (Campaign, {**CAMPAIGN, "points": "0.5"}, "counts 0 decimals"),
    (Campaign, {**CAMPAIGN, "points": "NaN"}, "Enter a number"),
    (Campaign, {**CAMPAIGN, "points": "1e30"}, "no more than 18 digits"),
    (Campaign, {**CAMPAIGN, "per_value": "0"}, "must be above zero"),
    (Campaign, {**CAMPAIGN, "multiplier": "2"}, "A multiplier above zero belongs"),
    (Campaign, {**CAMPAIGN, "reward_method": "multiplier"}, "A multiplier above zero"),
    (Campaign, {**CAMPAIGN, "reward_method": "per_item_value"}, "need a list of items"),
    (Campaign, {**CAMPAIGN, "cap_count": "1"}, "needs a period"),
    (Campaign, {**CAMPAIGN, "cap_count": "0", "frequency_period": DAY}, "A cap is 1"),
    (Campaign, {**CAMPAIGN, "required_attempts": "0"}, "At least one attempt"),
    (
        Campaign,
        {**CAMPAIGN, "starts_at_0": "2/1/2026", "ends_at_0": "31/12/2025"},
        "The end must be after the start",
    ),
    (
        Campaign,
        {**CAMPAIGN, "minimum_value": "9", "maximum_value": "8"},
        "highest value is below the lowest",
    ),
    (Campaign, {**CAMPAIGN, "opens_at": "08:00"}, "both times of day or none"),
    (
        Campaign,
        {**CAMPAIGN, "opens_at": "08:00", "closes_at": "08:00"},
        "times of day are the same",
    ),
    (Campaign, {**CAMPAIGN, "points_budget": "0"}, "points budget is above zero"),
    (Campaign, {**CAMPAIGN, "awards_budget": "0"}, "awards budget is above zero"),
    (Campaign, {**CAMPAIGN, "weekdays": ["8"]}, "not one of the available choices"),
    (Campaign, {**CAMPAIGN, "priority": "9" * 12}, "less than or equal to"),
    (Campaign, {**CAMPAIGN, "cap_count": "9" * 12, "frequency_period": DAY}, "less"),
    (
        SegmentMembership,
        {"segment": "SEGMENT", "member": "MEMBER"},
        "in the segment already",
    ),
    (
        SegmentMembership,
        {
            "segment": "SEGMENT",
            "member": "MEMBER",
            "entered_at_0": "2/1/2026",
            "left_at_0": "1/1/2026",
        },
        "leaves after entering",
    ),
    (ListedItem, {"item_list": "ITEMS", "item_id": "taken"}, "on the list already"),
    (
        Member,
        {
            "identities-TOTAL_FORMS": "1",
            "identities-0-kind": "customer_id",
            "identities-0-value": "taken",
        },
        "Another member has this identity",
    ),
    (
        Member,
        {
            "identities-TOTAL_FORMS": "2",
            "identities-0-kind": "email",
            "identities-0-value": "twice",
            "identities-1-kind": "email",
            "identities-1-value": "twice",
        },
        "duplicate",
    ),
    (ApiKey, {"name": ""}, "required"),
]


@pytest.mark.parametrize(
    ("model", "changes", "sentence"),
    REFUSED,
    ids=[f"{model.__name__}: {sentence}" for model, _, sentence in REFUSED],
)
def test_a_broken_rule_is_a_sentence_on_the_form(
    browser, program, model, changes, sentence
):
    rows = {
        "SEGMENT": Segment.objects.get().pk,
        "MEMBER": Member.objects.get().pk,
        "ITEMS": ItemList.objects.get().pk,
        "LIST": ItemList.objects.get().code,
    }
    named = {
        name: rows.get(value, value) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    count = model._default_manager.count()

    answer = save(browser, page(model, "add"), **named)

    assert sentence in " ".join(complaints(answer))
    assert model._default_manager.count() == count


def test_an_inactive_period_cannot_be_chosen_anew_but_stays_where_it_is(
    browser, program
):
    period = FrequencyPeriod.objects.filter(is_active=False).first()
    campaign = make_campaign(program, cap_count=1, frequency_period=period)

    refused = save(
        browser,
        page(Campaign, "add"),
        **CAMPAIGN,
        cap_count="1",
        frequency_period=period.pk,
    )
    kept = save(browser, page(Campaign, "change", campaign.pk), points="77")

    assert "not one of the available choices" in " ".join(complaints(refused))
    assert kept.status_code == 302
    campaign.refresh_from_db()
    assert campaign.frequency_period == period
    assert campaign.points == Decimal(77)


def test_every_constraint_of_what_staff_edit_says_it_in_a_sentence():
    edited = (
        *(Wallet, Offer, ActivityType, Campaign, BusinessUnit, Channel, Partner, Tag),
        *(Tier, Segment, SegmentMembership, ItemList, ListedItem, Program),
    )
    silent = [
        constraint.name
        for model in edited
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint)
        and constraint.violation_error_message
        == constraint.default_violation_error_message
    ]

    assert silent == []


@pytest.mark.parametrize("value", ["2026-01-01\x00", "☃" * 300])
def test_strange_text_in_a_campaign_is_refused_or_kept_but_never_an_error(
    browser, program, value
):
    answer = save(browser, page(Campaign, "add"), **{**CAMPAIGN, "name": value})

    assert complaints(answer)
