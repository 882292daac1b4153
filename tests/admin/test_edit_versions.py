"""Two people edit one thing: the second save says so instead of overwriting."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign, Quest
from loyalty.admin.versions import VERSION, Versioned
from loyalty.models import Member, Segment, Tier
from tests.admin.forms import complaints, page, save, shown
from tests.admin.test_every_page import fill
from tests.builders import (
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_quest,
    make_segment,
    make_tier,
    make_type,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def anna(db):
    return signed_in("anna")


@pytest.fixture
def ben(db):
    return signed_in("ben")


def signed_in(name):
    client = Client()
    client.force_login(User.objects.create_superuser(name, password="x"))
    return client


def post(client, address, sent, **changes):
    sent = {**sent, **changes}
    return client.post(
        address, {name: value for name, value in sent.items() if value is not None}
    )


def errors(answer):
    assert answer.status_code == 200, answer.get("Location")
    return list(answer.context["adminform"].form.non_field_errors())


def test_the_second_save_is_refused_with_what_changed_by_whom(anna, ben, program):
    campaign = make_campaign(program, description="")
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    assert save(anna, address, description="Tea for all").status_code == 302

    answer = post(ben, address, seen_by_ben, name="Ben's name")

    (sentence,) = errors(answer)
    assert sentence.startswith("anna, on ")
    assert "Description is now “Tea for all”" in sentence
    assert "Nothing of yours was saved yet" in sentence
    assert answer.context["adminform"].form["name"].value() == "Ben's name"
    campaign.refresh_from_db()
    assert (campaign.name, campaign.description) != ("Ben's name", "")
    assert campaign.description == "Tea for all"


def test_saving_once_more_overwrites_on_purpose(anna, ben, program):
    campaign = make_campaign(program, description="")
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    save(anna, address, description="Tea for all")
    refused = post(ben, address, seen_by_ben, description="Coffee for all")

    seen_by_ben["_version"] = refused.context["version"]
    answer = post(ben, address, seen_by_ben, description="Coffee for all")

    assert answer.status_code == 302
    campaign.refresh_from_db()
    assert campaign.description == "Coffee for all"


def test_a_third_change_in_between_is_refused_again(anna, ben, program):
    campaign = make_campaign(program, description="")
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    save(anna, address, description="One")
    refused = post(ben, address, seen_by_ben, description="Mine")
    save(anna, address, description="Two")

    seen_by_ben["_version"] = refused.context["version"]
    answer = post(ben, address, seen_by_ben, description="Mine")

    assert "Description is now “Two”" in errors(answer)[0]


def test_rows_edited_on_the_same_page_count(anna, ben, program):
    campaign = make_campaign(program, reward_method="methods", points=0)
    method = make_method(campaign, name="Jackpot")
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    changed = save(anna, address, **{"methods-0-points": "77"})
    assert changed.status_code == 302, complaints(changed)

    answer = post(ben, address, seen_by_ben, description="x")

    assert "the reward method “Jackpot” was changed or added" in errors(answer)[0]
    method.refresh_from_db()
    assert method.points == 77


def test_a_row_added_or_deleted_by_somebody_else_counts(anna, ben, program):
    quest = make_quest(program, {"order": 1}, {"order": 2}, status="draft")
    address = page(Quest, "change", quest.pk)
    seen_by_ben = shown(ben, address)
    quest.requirements.last().delete()

    answer = post(ben, address, seen_by_ben, name="x")

    assert "was deleted" in errors(answer)[0]


def test_links_to_many_count(anna, ben, program):
    campaign = make_campaign(program)
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    campaign.included_segments.add(make_segment(program, name="Friends", code="f"))

    answer = post(ben, address, seen_by_ben, description="x")

    assert "is now “Friends”" in errors(answer)[0]
    assert campaign.included_segments.count() == 1


def test_a_switch_between_opening_and_saving_counts(anna, ben, program):
    campaign = make_campaign(program, is_enabled=False)
    address = page(Campaign, "change", campaign.pk)
    seen_by_ben = shown(ben, address)
    Campaign.objects.filter(pk=campaign.pk).update(starts_at="2030-01-01T00:00Z")

    answer = post(ben, address, seen_by_ben, description="x")

    assert "is now" in errors(answer)[0]


def test_what_the_page_does_not_show_does_not_get_in_the_way(anna, program):
    member = make_member(program)
    address = page(Member, "change", member.pk)
    seen = shown(anna, address)
    Member.objects.filter(pk=member.pk).update(tier=make_tier(program, "Gold", 1))

    assert post(anna, address, seen).status_code == 302


@pytest.mark.parametrize("version", ["", "x", "{}", "[]", '{"at": 1, "seen": 2}'])
def test_a_version_that_is_not_ours_is_no_error(anna, program, version):
    tier = make_tier(program, "Gold", 100)
    address = page(Tier, "change", tier.pk)

    assert save(anna, address, **{VERSION: version}).status_code == 302


def test_one_person_in_two_windows_is_told_so(anna, program):
    segment = make_segment(program)
    address = page(Segment, "change", segment.pk)
    first = shown(anna, address)
    save(anna, address, name="Other")

    answer = post(anna, address, first, description="x")

    assert errors(answer)[0].startswith("You (in another window), on ")


def test_every_form_is_versioned_and_saves_unchanged(anna, program):
    fill(program, 1)
    count = 0

    for model, pages in admin.site._registry.items():
        assert isinstance(pages, Versioned), model
        row = model._default_manager.order_by("-pk").first()
        if row is None:
            continue
        address = page(model, "change", row.pk)
        answer = anna.get(address)
        if answer.status_code != 200 or not answer.context.get("show_save"):
            continue
        count += 1
        assert f'name="{VERSION}"' in answer.content.decode(), model
        saved = save(anna, address)
        if saved.status_code == 200:
            assert not errors(saved), (model, complaints(saved))
    assert count > 15
