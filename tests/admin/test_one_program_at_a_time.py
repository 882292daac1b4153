"""Nothing of another program can be seen, chosen or changed."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from campaigns.models import Campaign, ItemList, ListedItem
from loyalty.models import (
    ActivityType,
    ApiKey,
    BusinessUnit,
    Channel,
    Member,
    Offer,
    Partner,
    Segment,
    SegmentMembership,
    Tag,
    Tier,
    Wallet,
)
from tests.admin.forms import complaints, page, save, shown
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
    wallet_of,
)


def pages_of(model) -> Any:
    return admin.site._registry[model]


@pytest.fixture
def mine(db):
    program = make_program(name="Mine")
    make_type(program, name="My purchase", title="My purchase")
    return program


@pytest.fixture
def theirs(mine):
    """Another program with a row of everything."""
    program = make_program(name="Theirs", time_zone="Asia/Tokyo")
    member = make_member(program, "their-member")
    segment = make_segment(program, [member], name="Their segment")
    make_type(program, "THEIRS", title="Their type")
    make_campaign(
        program,
        name="Their campaign",
        channels=[make_channel(program, "THEIRS")],
        business_unit=make_unit(program, "theirs"),
        minimum_tier=make_tier(program, "Their tier", 5),
        item_list=make_item_list(program, ["their-item"]),
        included_segments=[segment],
    )
    Partner.objects.create(program=program, name="Their partner")
    Tag.objects.create(program=program, name="Their tag")
    ApiKey.objects.create_key(name="Their key", program=program)
    return program


@pytest.fixture
def browser(client, admin_user, theirs):
    client.force_login(admin_user)
    return client


WITH_ROWS = [
    *(ActivityType, ApiKey, BusinessUnit, Campaign, Channel, ItemList, ListedItem),
    *(Member, Partner, Segment, SegmentMembership, Tag, Tier, Wallet),
]


@pytest.mark.parametrize("model", WITH_ROWS, ids=lambda model: model.__name__)
def test_another_programs_row_is_neither_listed_nor_opened_nor_deleted(
    browser, theirs, model
):
    path = pages_of(model).program_path
    row = model._default_manager.filter(**{path: theirs}).first()
    assert row is not None

    listed = browser.get(page(model, "changelist")).context["cl"].result_list
    opened = browser.get(page(model, "change", row.pk))
    posted = browser.post(page(model, "change", row.pk), {"name": "Mine now"})
    deleted = browser.post(page(model, "delete", row.pk), {"post": "yes"})

    assert row.pk not in {one.pk for one in listed}
    assert opened.status_code == 302
    assert posted.status_code in (302, 403)
    assert deleted.status_code in (302, 403)
    assert model._default_manager.filter(pk=row.pk).exists()


ACTIONS = [
    (model, name)
    for model in WITH_ROWS
    for name in pages_of(model).actions_detail or ()
]


@pytest.mark.parametrize(
    ("model", "name"),
    ACTIONS,
    ids=[f"{model.__name__}-{name}" for model, name in ACTIONS],
)
def test_no_button_works_on_another_programs_row_or_on_no_row(
    browser, theirs, model, name
):
    path = pages_of(model).program_path
    row = model._default_manager.filter(**{path: theirs}).first()

    for number in (row.pk, 10**9, "nonsense", 10**30):
        address = page(model, name, number)
        assert browser.get(address).status_code == 404
        assert browser.post(address, {"confirmed": "yes"}).status_code == 404


@pytest.mark.parametrize(
    ("field", "find"),
    [
        ("wallet", wallet_of),
        ("business_unit", lambda program: BusinessUnit.objects.get(program=program)),
        ("minimum_tier", lambda program: Tier.objects.get(program=program)),
        ("item_list", lambda program: ItemList.objects.get(program=program)),
        ("channels", lambda program: Channel.objects.get(program=program)),
        ("activity_types", lambda program: ActivityType.objects.get(program=program)),
        ("included_segments", lambda program: Segment.objects.get(program=program)),
        ("excluded_segments", lambda program: Segment.objects.get(program=program)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_campaign_takes_no_row_of_another_program(browser, theirs, field, find):
    row = find(theirs)
    offered = str(browser.get(page(Campaign, "add")).context["adminform"].form[field])

    answer = save(
        browser, page(Campaign, "add"), **{"name": "New", "points": "1", field: row.pk}
    )

    assert f'value="{row.pk}"' not in offered
    assert "not one of this program's rows" in " ".join(complaints(answer))
    assert Campaign.objects.count() == 1


def test_a_form_that_names_another_program_is_refused(browser, theirs):
    answer = save(browser, page(Tag, "add"), name="Sneaked in", program=theirs.pk)

    assert "switched to another program" in " ".join(complaints(answer))
    assert not Tag.objects.filter(name="Sneaked in").exists()


@pytest.mark.parametrize(
    ("model", "app", "field", "term"),
    [
        ("campaign", "campaigns", "included_segments", "Their"),
        ("campaign", "campaigns", "activity_types", "Their"),
        ("campaign", "campaigns", "item_list", "LIST"),
        ("activitytype", "loyalty", "partner", "Their"),
        ("activitytype", "loyalty", "tags", "Their"),
        ("segmentmembership", "loyalty", "member", "their-member"),
        ("entry", "loyalty", "offer", "Their"),
    ],
)
def test_a_search_box_offers_nothing_of_another_program(
    browser, model, app, field, term
):
    answer = browser.get(
        reverse("admin:autocomplete"),
        {"app_label": app, "model_name": model, "field_name": field, "term": term},
    )

    assert answer.status_code == 200
    assert [
        one["text"] for one in answer.json()["results"] if "heir" in one["text"]
    ] == []


def test_filters_offer_nothing_of_another_program(browser):
    text = browser.get(page(Campaign, "changelist")).content.decode()

    assert "Their" not in text.replace("Theirs", "")


def test_switching_shows_the_other_program_on_its_own_clock(browser, theirs):
    switched = browser.get(reverse("admin:loyalty_program_work_in", args=[theirs.pk]))

    assert switched.status_code == 302
    campaign = Campaign.objects.get()
    answer = browser.get(page(Campaign, "change", campaign.pk))
    assert answer.status_code == 200
    assert "Time zone: Asia/Tokyo" in answer.content.decode()


def test_a_form_opened_before_switching_is_not_saved_into_the_other_program(
    browser, mine, theirs
):
    sent = {**shown(browser, page(Partner, "add")), "name": "Written for mine"}
    browser.get(reverse("admin:loyalty_program_work_in", args=[theirs.pk]))

    answer = browser.post(page(Partner, "add"), sent)

    assert "switched to another program" in " ".join(complaints(answer))
    assert not Partner.objects.filter(name="Written for mine").exists()


def test_a_segment_of_another_program_takes_nobody_from_here(browser, mine, theirs):
    member = make_member(mine, "my-member")

    answer = save(
        browser,
        page(SegmentMembership, "add"),
        segment=Segment.objects.get().pk,
        member=member.pk,
    )

    assert complaints(answer)
    assert SegmentMembership.objects.count() == 1


def test_offers_of_the_other_program_stay_untouched(browser, theirs):
    offers = list(Offer.objects.filter(program=theirs).values())

    browser.post(
        page(Campaign, "changelist"),
        {
            "action": "disable",
            "confirmed": "yes",
            "_selected_action": [offer["id"] for offer in offers],
        },
    )

    assert list(Offer.objects.filter(program=theirs).values()) == offers
