"""What a campaign changed, from rows: who counts, what counts, and what is found."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from activities.models import Activity
from activities.services import record_activities, reverse_activities
from activities.services.effect import (
    Certainty,
    NoHoldout,
    NotYetMeasurable,
    assignment_lines,
    groups_of,
    measure_effect,
    verdict,
)
from campaigns.models import Campaign, RewardMethod
from campaigns.services.lifecycle import duplicate_as_draft
from loyalty.engine.holdout import is_held_out
from loyalty.models import (
    ActivityType,
    Entry,
    Member,
    MemberTier,
    SegmentMembership,
)
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_wallet,
    purchase,
)

pytestmark = pytest.mark.django_db

START = NOON - timedelta(days=10)
LATER = NOON + timedelta(days=1)
BEFORE = START - timedelta(days=30)

_keys = count(1)


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


def measured(program, percent="50", **fields) -> Campaign:
    """Return a campaign that holds members out, by a salt of its own."""
    return make_campaign(
        program,
        **{"holdout_percent": Decimal(percent), "starts_at": START, **fields},
    )


def make_members(program, number, first_id=None, **fields):
    members = Member.objects.bulk_create(
        Member(
            pk=first_id and first_id + place,
            program=program,
            **{"enrolled_at": BEFORE, **fields},
        )
        for place in range(number)
    )
    return [member.pk for member in members]


def came(program, member_ids, *, at=NOON, value="10"):
    """Write a purchase for each number, without deciding anything."""
    type_id = ActivityType.objects.get(program=program).pk
    Activity.objects.bulk_create(
        Activity(
            program=program,
            source="test",
            key=f"visit-{next(_keys)}",
            fingerprint=b"",
            member_id=member_id,
            activity_type_id=type_id,
            occurred_at=at,
            zone_assumed=False,
            received_at=at,
            created_at=at,
            is_late=False,
            value=Decimal(value),
            is_return=Decimal(value) < 0,
        )
        for member_id in member_ids
    )


def effect_of(campaign, **asked):
    return measure_effect(campaign, **{"now": LATER, **asked})


def held_out_by(campaign, member_ids):
    share = int(campaign.holdout_percent * 100)
    return [one for one in member_ids if is_held_out(campaign.holdout_salt, one, share)]


def let_in_by(campaign, member_ids):
    return sorted(set(member_ids) - set(held_out_by(campaign, member_ids)))


def counts(effect):
    return (effect.treated_count, effect.held_out_count)


def means(effect, name="visits"):
    found = effect.of(name)
    return (found.treated.mean, found.held_out.mean)


# Who counts.


def test_the_database_parts_members_as_the_engine_does(program):
    campaign = measured(program, "12.34")
    member_ids = make_members(program, 3000)

    lines = "".join(assignment_lines(groups_of(campaign, now=LATER))).splitlines()

    assert lines[0] == "member,group,since"
    out = [int(one.split(",")[0]) for one in lines[1:] if ",held_out," in one]
    assert len(lines) == 3001
    assert out == held_out_by(campaign, member_ids)
    assert counts(effect_of(campaign)) == (3000 - len(out), len(out))


def test_members_who_did_nothing_count_too(program):
    campaign = measured(program)
    member_ids = make_members(program, 40)
    treated = let_in_by(campaign, member_ids)

    came(program, treated[:1])

    assert means(effect_of(campaign)) == (1 / len(treated), 0)


def test_members_of_the_segments_at_the_start_count(program):
    campaign = measured(program)
    inside, late, gone, banned = make_members(program, 4)
    segment, excluded = make_segment(program), make_segment(program)
    campaign.included_segments.add(segment)
    campaign.excluded_segments.add(excluded)
    after = START + timedelta(days=1)
    SegmentMembership.objects.bulk_create(
        [
            SegmentMembership(segment=segment, member_id=inside, left_at=after),
            SegmentMembership(segment=segment, member_id=late, entered_at=after),
            SegmentMembership(segment=segment, member_id=gone, left_at=START),
            SegmentMembership(segment=segment, member_id=banned),
            SegmentMembership(segment=excluded, member_id=banned),
        ]
    )

    assert sum(counts(effect_of(campaign))) == 1


def test_members_of_the_tier_at_the_start_count(program):
    silver, gold = make_tier(program, "Silver", 10), make_tier(program, "Gold", 99)
    campaign = measured(program, minimum_tier=silver)
    better, lost, late = make_members(program, 3)
    for member_id, since, tier in (
        (better, BEFORE, gold),
        (lost, BEFORE, silver),
        (lost, START, None),
        (late, START + timedelta(days=1), gold),
    ):
        MemberTier.objects.create(
            member_id=member_id, since=since, tier=tier, cause="threshold", score=0
        )

    assert sum(counts(effect_of(campaign))) == 1


@pytest.mark.parametrize(
    ("enrolled_at", "acted_at", "counted"),
    [
        pytest.param(START, None, 1, id="at the start"),
        pytest.param(NOON, None, 1, id="while it ran"),
        pytest.param(LATER, None, 0, id="after the period"),
        pytest.param(LATER, NOON, 1, id="loaded later, with what he did then"),
    ],
)
def test_members_count_from_when_they_joined(program, enrolled_at, acted_at, counted):
    campaign = measured(program, ends_at=NOON + timedelta(hours=1))
    member_ids = make_members(program, 1, enrolled_at=enrolled_at)
    if acted_at:
        came(program, member_ids, at=acted_at)

    assert sum(counts(effect_of(campaign))) == counted


def test_members_of_other_programs_do_not_count(program):
    make_members(make_program(), 5)

    assert sum(counts(effect_of(measured(program)))) == 0


# What counts.


@pytest.mark.parametrize(
    ("at", "visits"),
    [
        pytest.param(START - timedelta(microseconds=1), 0, id="before the start"),
        pytest.param(START, 1, id="the start is inside"),
        pytest.param(NOON, 0, id="the end is outside"),
    ],
)
def test_what_happened_in_the_period_counts(program, at, visits):
    campaign = measured(program, ends_at=NOON)
    member_ids = make_members(program, 30)

    came(program, let_in_by(campaign, member_ids), at=at)

    assert means(effect_of(campaign))[0] == visits


def test_the_period_may_go_on_after_the_campaign_but_not_after_now(program):
    campaign = measured(program, ends_at=NOON)
    member_ids = make_members(program, 30)
    came(program, member_ids, at=NOON)
    came(program, member_ids, at=LATER)

    effect = effect_of(campaign, until=LATER + timedelta(days=9))

    assert effect.period.end == LATER
    assert means(effect) == (1, 1)


def test_a_return_lowers_the_value_and_is_no_visit(program):
    campaign = measured(program)
    member_ids = make_members(program, 30)
    came(program, member_ids, value="10")
    came(program, member_ids, value="-4")

    effect = effect_of(campaign)

    assert means(effect) == (1, 1)
    assert means(effect, "value") == (6, 6)


def test_what_was_reversed_counts_as_not_done(program):
    campaign = measured(program, "1")
    members = [make_member(program, enrolled_at=BEFORE) for _ in range(12)]
    outcomes = record_activities(
        program.pk, [purchase(one, "5") for one in members], now=NOON
    )

    reverse_activities(
        program.pk, [one.activity_id for one in outcomes], now=NOON, reason=""
    )

    effect = effect_of(campaign)
    assert [means(effect, one)[0] for one in ("visits", "value", "points")] == [0, 0, 0]
    assert effect.costs[0].points == 0


def test_points_are_all_that_members_earned_in_the_campaigns_wallet(program):
    wallet = make_wallet(program, code="stars", decimals=2)
    campaign = measured(program, wallet=wallet, points=Decimal("2.50"))
    make_campaign(program, wallet=wallet, points=1)
    members = [make_member(program, enrolled_at=BEFORE) for _ in range(30)]
    record_activities(program.pk, [purchase(one, "5") for one in members], now=NOON)

    effect = effect_of(campaign)

    assert means(effect, "points") == (3.5, 1)
    assert effect.costs[0].points == Decimal("2.5") * effect.treated_count


def test_what_reward_methods_pay_is_the_campaigns(program):
    wallet = make_wallet(program, code="stars")
    campaign = measured(program, reward_method="methods", points=0)
    RewardMethod.objects.create(parent=campaign, name="Stars", wallet=wallet, points=4)
    members = [make_member(program, enrolled_at=BEFORE) for _ in range(30)]
    record_activities(program.pk, [purchase(one, "5") for one in members], now=NOON)

    effect = effect_of(campaign)

    assert [one.wallet.code for one in effect.costs] == ["stars"]
    assert effect.costs[0].points == 4 * effect.treated_count


def test_whoever_is_held_out_earns_all_but_the_campaign(program):
    campaign = measured(program, "50")
    make_campaign(program, points=3)
    members = [make_member(program, enrolled_at=BEFORE) for _ in range(20)]

    record_activities(program.pk, [purchase(one, "5") for one in members], now=NOON)

    out = held_out_by(campaign, [one.pk for one in members])
    for activity in Activity.objects.all():
        earned = sum(one["points"] for one in activity.decision["awards"])
        rejected = activity.decision["rejections"]
        if activity.member_id in out:
            assert earned == 8
            assert rejected == [
                {"offer": campaign.pk, "reason": "in_holdout", "share": 5000}
            ]
        else:
            assert (earned, rejected) == (18, [])
    assert 0 < len(out) < 20
    assert Entry.objects.filter(offer=campaign.pk).count() == 20 - len(out)


# What is found.


def test_without_an_effect_none_is_found_and_a_real_one_is(program):
    # Fixed salts and numbers, so that chance is the same in every run.
    idle = measured(program, "20", holdout_salt="idle")
    strong = measured(program, "20", holdout_salt="strong")
    member_ids = make_members(program, 1500, first_id=5_000_000)
    random = np.random.default_rng(5)
    visits = random.poisson(random.gamma(2.0, 0.5, 1500))
    came(program, np.repeat(member_ids, visits).tolist())
    again = set(np.array(member_ids)[random.random(1500) < 0.4].tolist())
    came(program, [one for one in let_in_by(strong, member_ids) if one in again])

    without, with_effect = effect_of(idle), effect_of(strong)

    for name in ("visits", "value"):
        found = without.of(name).comparison
        assert found.low < 0 < found.high
    found = with_effect.of("visits").comparison
    assert 0 < found.low < 0.4 < found.high
    assert verdict(without)[0].startswith("No measurable difference in visits")
    assert verdict(with_effect)[0].startswith("Members who could take part made 0.")


def test_an_additional_visit_costs_the_points_beyond_the_visits_beyond(program):
    campaign = measured(program, points=10)
    members = [make_member(program, enrolled_at=BEFORE) for _ in range(60)]
    treated = set(let_in_by(campaign, [one.pk for one in members]))
    # Those who can take part come twice: 20 points of the campaign and 5 of base.
    often = [one for one in members if one.pk in treated][1:]
    commands = [purchase(one, "5") for one in [*members[1:], *often]]
    record_activities(program.pk, commands, now=NOON)

    effect = effect_of(campaign, point_cost=Decimal("0.01"))

    points, visits = effect.of("points"), effect.of("visits")
    cost = effect.costs[0]
    beyond = points.treated.mean - points.held_out.mean
    assert cost.per_visit == pytest.approx(
        beyond / (visits.treated.mean - visits.held_out.mean)
    )
    assert cost.money_per_visit == pytest.approx(cost.per_visit / 100)
    assert cost.money == pytest.approx(float(cost.points) / 100)


def test_a_visit_has_no_price_while_no_more_visits_are_certain(program):
    campaign = measured(program, holdout_salt="spring")
    member_ids = make_members(program, 40, first_id=5_000_000)
    came(program, member_ids[:20])

    cost = effect_of(campaign, point_cost=Decimal("0.01")).costs[0]

    assert (cost.per_visit, cost.money_per_visit, cost.money) == (None, None, 0)


@pytest.mark.parametrize("members", [0, 1])
def test_a_group_of_nobody_or_one_is_said_to_be_too_small(program, members):
    campaign = measured(program, "0.01")
    came(program, make_members(program, members))

    effect = effect_of(campaign)

    assert all(
        one.comparison.certainty is Certainty.TOO_FEW_MEMBERS for one in effect.measures
    )
    assert verdict(effect)[0].startswith("Too few members to compare")


def test_members_who_are_all_alike_get_no_interval(program):
    campaign = measured(program)
    came(program, make_members(program, 40))

    told = verdict(effect_of(campaign))

    assert told[0] == "No difference in visits: every member has the same."


def test_the_sums_take_one_statement_whatever_the_number_of_methods(
    program, django_assert_max_num_queries
):
    campaign = measured(program, reward_method="methods", points=0)
    for number in range(5):
        RewardMethod.objects.create(
            parent=campaign, name=f"{number}", wallet=campaign.wallet, points=4
        )
    campaign = Campaign.objects.select_related("minimum_tier", "group").get()

    with django_assert_max_num_queries(6):
        effect_of(campaign)


# When it can be measured.


def test_a_campaign_that_holds_nobody_out_cannot_be_measured(program):
    with pytest.raises(NoHoldout):
        effect_of(make_campaign(program, starts_at=START))


@pytest.mark.parametrize("starts_at", [LATER, None], ids=["later", "never"])
def test_a_campaign_that_has_not_begun_cannot_be_measured(program, starts_at):
    with pytest.raises(NotYetMeasurable):
        effect_of(measured(program, starts_at=starts_at))


def test_without_a_start_the_first_award_is_the_start(program):
    campaign = measured(program, "0.01", starts_at=None)
    member = make_member(program, enrolled_at=BEFORE)
    record_activities(program.pk, [purchase(member, "5")], now=NOON)

    assert effect_of(campaign).period.start == NOON


def test_a_holdout_needs_a_start(program):
    campaign = measured(program, starts_at=None)

    with pytest.raises(ValidationError, match="needs a start"):
        campaign.clean()


# Whom it holds out is fixed.


def paid(program):
    campaign = measured(program, "1")
    members = [make_member(program) for _ in range(3)]
    record_activities(program.pk, [purchase(one, "5") for one in members], now=NOON)
    return campaign


@pytest.mark.parametrize("percent", [None, Decimal(5)])
def test_the_share_is_fixed_once_something_was_given(program, percent):
    campaign = paid(program)
    campaign.holdout_percent = percent

    with pytest.raises(ValidationError, match="has given something already"):
        campaign.clean()
    with (
        pytest.raises(IntegrityError, match="has given something already"),
        transaction.atomic(),
    ):
        campaign.save()


def test_the_share_may_change_before_anything_was_given(program):
    campaign = measured(program, "10")
    campaign.holdout_percent = Decimal(20)

    campaign.clean()
    campaign.save()

    assert Campaign.objects.get().holdout_percent == 20


def test_the_salt_never_changes(program):
    campaign = measured(program)
    campaign.holdout_salt = "another"

    with pytest.raises(IntegrityError, match="made once and stays"):
        campaign.save()


def test_a_copy_holds_out_other_members(program):
    campaign = measured(program)

    copy = duplicate_as_draft(campaign, "Copy")

    assert copy.holdout_percent == campaign.holdout_percent
    assert copy.holdout_salt != campaign.holdout_salt
