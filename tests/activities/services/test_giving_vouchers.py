"""Vouchers for what members do: given with the activity, taken back with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from activities.models import Activity, Draw
from activities.reports import ledger_mismatches
from activities.services import (
    record_activities,
    reverse_activities,
    simulate_activities,
)
from loyalty.models import ActivityType, Program, Voucher, VoucherStock
from loyalty.services import vouchers
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_quest,
    make_type,
    make_voucher_type,
    purchase,
    usage_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    """A program in which a purchase pays 1 point per whole unit."""
    program = make_program()
    make_type(program)
    return program


def record(program, *commands):
    outcomes = record_activities(program.pk, commands, now=NOON)
    return [outcome.activity_id for outcome in outcomes]


def reverse(program, *activity_ids):
    return reverse_activities(program.pk, activity_ids, now=NOON, reason="returned")


def statuses() -> list[str]:
    return list(Voucher.objects.order_by("pk").values_list("status", flat=True))


def voucher_campaign(program, **fields):
    kind = make_voucher_type(program, code="five-off")
    defaults = {"reward_method": "voucher", "voucher_type": kind, "points": 0}
    return make_campaign(program, **{**defaults, **fields})


def test_a_campaign_gives_a_voucher_and_says_so(program):
    member = make_member(program)
    campaign = voucher_campaign(program, awards_budget=5)

    (activity_id,) = record(program, purchase(member, "1"))

    voucher = Voucher.objects.get()
    assert (voucher.member, voucher.offer_id) == (member, campaign.pk)
    assert voucher.activity_id == activity_id
    award = Activity.objects.get().decision["awards"][1]
    assert (award["offer"], award["voucher"], award["points"]) == (
        campaign.pk,
        "five-off",
        0,
    )
    assert usage_of(campaign) == (0, 1)
    assert list(ledger_mismatches()) == []


def test_reversing_the_activity_takes_the_voucher_and_its_use_back(program):
    campaign = voucher_campaign(program, awards_budget=5)
    (activity_id,) = record(program, purchase(make_member(program), "1"))

    reverse(program, activity_id)
    reverse(program, activity_id)

    assert statuses() == ["void"]
    assert usage_of(campaign) == (0, 0)
    assert list(ledger_mismatches()) == []


def test_a_redeemed_voucher_stays_redeemed(program):
    voucher_campaign(program)
    (activity_id,) = record(program, purchase(make_member(program), "1"))
    voucher = Voucher.objects.get()
    till = vouchers.Asker(actor="till")
    vouchers.claim(program.pk, [voucher.code], asker=till, now=NOON)
    wanted = vouchers.Redemption(basket_code="B-1")
    vouchers.redeem(program.pk, voucher.code, wanted, asker=till, now=NOON)

    reverse(program, activity_id)

    assert statuses() == ["redeemed"]
    assert list(ledger_mismatches()) == []


def test_a_list_gives_as_many_vouchers_as_it_has_codes(program):
    kind = make_voucher_type(program, codes="listed")
    Voucher.objects.bulk_create(
        Voucher(
            program=program,
            voucher_type=kind,
            code=f"LISTED-{number}",
            status="available",
            created_at=NOON,
        )
        for number in range(3)
    )
    VoucherStock.objects.filter(voucher_type=kind).update(codes_left=3)
    make_campaign(program, reward_method="voucher", voucher_type=kind, points=0)

    record(program, *(purchase(make_member(program), "1") for _ in range(5)))

    assert statuses() == ["generated"] * 3
    reasons = [
        rejection["reason"]
        for row in Activity.objects.all()
        for rejection in row.decision["rejections"]
    ]
    assert reasons == ["voucher_codes_spent"] * 2
    assert list(ledger_mismatches()) == []


def test_an_activity_sets_a_draw_off_and_keeps_it(program):
    campaign = make_campaign(
        program, reward_method="methods", handling="random_draw", points=0
    )
    points = make_method(campaign, points=50, usage_limit=3)
    kind = make_voucher_type(program)
    make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)
    make_method(campaign, reward_method="nothing", points=0)

    activity_ids = record(
        program, *(purchase(make_member(program), "1") for _ in range(40))
    )

    assert Draw.objects.count() == 40
    assert set(Draw.objects.values_list("activity_id", flat=True)) == set(activity_ids)
    assert usage_of(points) == (150, 3)
    given = Draw.objects.exclude(winner=points).filter(winner__voucher_type=kind)
    assert Voucher.objects.count() == given.count()
    call_command("verify_draws")
    reverse(program, *activity_ids)
    assert usage_of(points) == (0, 0)
    call_command("verify_draws")
    assert list(ledger_mismatches()) == []


def quest_of_vouchers(program):
    kind = make_voucher_type(program)
    return make_quest(program, {}, reward_method="voucher", voucher_type=kind, points=0)


def test_a_quest_gives_its_voucher_with_the_last_step(program):
    member = make_member(program)
    quest = quest_of_vouchers(program)

    activity_ids = record(
        program,
        *(
            purchase(member, occurred_at=NOON + timedelta(minutes=minute))
            for minute in range(3)
        ),
    )

    voucher = Voucher.objects.get()
    assert (voucher.offer_id, voucher.activity_id) == (quest.pk, activity_ids[-1])
    assert list(ledger_mismatches()) == []


def test_a_quest_takes_its_voucher_back_with_whichever_step_goes(program):
    member = make_member(program)
    quest_of_vouchers(program)
    activity_ids = record(
        program,
        *(
            purchase(member, occurred_at=NOON + timedelta(minutes=minute))
            for minute in range(3)
        ),
    )

    reverse(program, activity_ids[0])

    assert statuses() == ["void"]
    assert list(ledger_mismatches()) == []


def test_a_quest_leaves_its_voucher_while_other_steps_hold_it(program):
    member = make_member(program)
    quest_of_vouchers(program)
    activity_ids = record(
        program,
        *(
            purchase(member, occurred_at=NOON + timedelta(minutes=minute))
            for minute in range(4)
        ),
    )

    reverse(program, activity_ids[2])

    assert statuses() == ["generated"]
    assert list(ledger_mismatches()) == []


def test_a_dry_run_in_several_batches_gives_each_code_once(program):
    member = make_member(program)
    make_type(program, "VISIT")
    kind = make_voucher_type(program, codes="listed")
    Voucher.objects.create(
        program=program,
        voucher_type=kind,
        code="ONLY-ONE",
        status="available",
        created_at=NOON,
    )
    VoucherStock.objects.update(codes_left=1)
    for code in ("PURCHASE", "VISIT"):
        of_type = ActivityType.objects.filter(program=program, code=code)
        fields = {"reward_method": "voucher", "voucher_type": kind, "points": 0}
        make_campaign(program, activity_types=of_type, **fields)

    budgets: dict[int, Any] = {}
    given = [
        len(
            simulate_activities(
                program.pk,
                [purchase(member, "1", activity_type=code)],
                now=NOON,
                budgets=budgets,
            )[0].decision.awards
        )
        for code in ("PURCHASE", "VISIT")
    ]

    # The base, and a voucher with the first.
    assert given == [2, 1]
