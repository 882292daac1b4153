"""What interacting with a campaign promises."""

from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
from django.core.management import call_command

from activities.models import Draw, Interaction
from activities.reports import ledger_mismatches
from activities.services import UnknownMember
from activities.services.interacting import interact
from activities.services.interactions import (
    BlockedMember,
    CampaignFullyRedeemed,
    CampaignNotActive,
    InsufficientPoints,
    Interact,
    KeyReused,
    NotInAudience,
    UnknownCampaign,
)
from loyalty import ledger
from loyalty.models import (
    Account,
    Completion,
    Entry,
    FrequencyPeriod,
    Program,
    Voucher,
    VoucherEvent,
)
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_method,
    make_program,
    make_segment,
    make_tier,
    make_type,
    make_voucher_type,
    make_wallet,
    usage_of,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def scratches(program):
    """The wallet that scratch cards are paid from."""
    return make_wallet(program, code="credits", name="Credits", counts_for_tier=False)


def scratch_card(program, **fields):
    defaults = {
        "context": "interaction",
        "reward_method": "methods",
        "handling": "random_draw",
        "points": 0,
    }
    return make_campaign(program, **{**defaults, **fields})


def lifetime():
    return FrequencyPeriod.objects.get(unit="lifetime")


def act(program, campaign, member, *, seed=1, at=NOON, **fields):
    command = Interact(campaign.pk, member.pk, "api", **fields)
    return interact(program.pk, command, now=at, random_source=lambda: seed)


def give(member, wallet, points):
    ledger.adjust(member, wallet.pk, points, at=NOON, reason="start")


def balance(member, wallet) -> int:
    account = Account.objects.filter(member=member, wallet=wallet).first()
    return account.balance if account else 0


def everything_written() -> Counter:
    models = (Interaction, Draw, Entry, Completion, Voucher, VoucherEvent)
    return Counter({model.__name__: model.objects.count() for model in models})


def test_a_draw_is_paid_given_and_kept(program, scratches):
    member = make_member(program)
    give(member, scratches, 500)
    campaign = scratch_card(program, point_cost=450, point_cost_wallet=scratches)
    method = make_method(campaign, points=100, title="Jackpot")
    make_method(campaign, weight=0)

    done = act(program, campaign, member, actor="till 7", mode="privileged")

    assert balance(member, scratches) == 50
    assert balance(member, wallet_of(program)) == 100
    (reward,) = done.rewards
    assert (reward.kind, reward.amount, reward.title) == ("points", 100, "Jackpot")
    draw = Draw.objects.get()
    assert draw.candidates == [[method.pk, 1]]
    assert (draw.activity_id, draw.winner_id) == (done.interaction_id, method.pk)
    row = Interaction.objects.get()
    assert (row.actor, row.mode, row.pk) == ("till 7", "privileged", draw.activity_id)
    assert row.decision["prices"] == [{"wallet": "credits", "points": 450}]
    assert list(ledger_mismatches()) == []
    call_command("verify_draws")


def test_a_voucher_can_be_drawn(program):
    member = make_member(program)
    campaign = scratch_card(program)
    kind = make_voucher_type(program, title="5 euros off")
    make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)

    done = act(program, campaign, member)

    (reward,) = done.rewards
    voucher = Voucher.objects.get()
    assert (reward.voucher, reward.title) == (voucher, "5 euros off")
    assert voucher.member == member
    assert voucher.activity_id == done.interaction_id


def test_a_voucher_that_is_over_is_neither_given_nor_charged(program, scratches):
    member = make_member(program)
    give(member, scratches, 10)
    campaign = scratch_card(program, point_cost=10, point_cost_wallet=scratches)
    kind = make_voucher_type(program, expires_at=NOON)
    make_method(campaign, reward_method="voucher", voucher_type=kind, points=0)

    with pytest.raises(NotInAudience) as refused:
        act(program, campaign, member)
    assert refused.value.facts["reason"] == "ended"
    act(program, campaign, member, at=NOON - timedelta(seconds=1))

    assert Voucher.objects.count() == 1


def test_a_blank_is_charged_and_gives_nothing(program, scratches):
    member = make_member(program)
    give(member, scratches, 10)
    campaign = scratch_card(program, point_cost=10, point_cost_wallet=scratches)
    make_method(campaign, reward_method="nothing", points=0)

    done = act(program, campaign, member)

    assert [reward.kind for reward in done.rewards] == ["no_win"]
    assert balance(member, scratches) == 0
    assert Draw.objects.count() == 1


def test_every_method_that_applies_is_given_when_independent(program):
    member = make_member(program)
    insiders = make_segment(program)
    campaign = scratch_card(program, handling="independent")
    make_method(campaign, points=1)
    make_method(campaign, points=2)
    make_method(campaign, points=4, included_segments=[insiders])

    done = act(program, campaign, member)

    assert [reward.amount for reward in done.rewards] == [1, 2]
    assert balance(member, wallet_of(program)) == 3
    assert not Draw.objects.exists()


def test_a_campaign_without_methods_gives_its_own_reward(program):
    member = make_member(program)
    campaign = make_campaign(program, context="interaction", points=15)

    done = act(program, campaign, member)

    assert [reward.amount for reward in done.rewards] == [15]


def test_points_of_an_interaction_lift_the_tier(program):
    gold = make_tier(program, "Gold", 10)
    member = make_member(program)
    campaign = make_campaign(program, context="interaction", points=15)

    act(program, campaign, member)

    member.refresh_from_db()
    assert member.tier == gold


def test_what_the_member_had_already_charges_nothing(program, scratches):
    member = make_member(program)
    give(member, scratches, 20)
    campaign = scratch_card(
        program,
        point_cost=10,
        point_cost_wallet=scratches,
        cap_count=1,
        frequency_period=lifetime(),
    )
    make_method(campaign)
    act(program, campaign, member)
    before = everything_written()

    again = act(program, campaign, member, at=NOON + timedelta(days=400))

    assert again.is_fully_redeemed
    assert again.interaction_id is None
    assert balance(member, scratches) == 10
    assert everything_written() == before


def test_the_same_key_is_the_same_interaction(program):
    member = make_member(program)
    campaign = scratch_card(program)
    make_method(campaign)

    first = act(program, campaign, member, key="k")
    again = act(program, campaign, member, key="k", seed=2)

    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.interaction_id == first.interaction_id
    assert again.rewards == first.rewards
    with pytest.raises(KeyReused) as refused:
        act(program, campaign, make_member(program), key="k")
    assert refused.value.facts["differing"] == ["member"]


def test_only_what_is_left_is_drawn(program):
    campaign = scratch_card(program)
    rare = make_method(campaign, usage_limit=2)
    common = make_method(campaign, reward_method="nothing", points=0)
    seeds = count(1)

    won: Counter[int] = Counter()
    for _ in range(30):
        done = act(program, campaign, make_member(program), seed=next(seeds))
        won[done.rewards[0].method_id] += 1

    assert won == {rare.pk: 2, common.pk: 28}
    assert usage_of(rare) == (20, 2)
    call_command("verify_draws")
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("below", [False, True], ids=["never below zero", "may go"])
def test_a_wallet_decides_whether_it_may_be_overdrawn(program, below):
    wallet = make_wallet(program, code="tab", name="Tab", allows_negative=below)
    member = make_member(program)
    give(member, wallet, 3)
    campaign = scratch_card(program, point_cost=10, point_cost_wallet=wallet)
    make_method(campaign)

    if below:
        act(program, campaign, member)
        assert balance(member, wallet) == -7
    else:
        with pytest.raises(InsufficientPoints) as refused:
            act(program, campaign, member)
        assert refused.value.facts["available"] == 3
    assert list(ledger_mismatches()) == []


def _disabled(program, campaign, member):
    campaign.is_enabled = False


def _over(program, campaign, member):
    campaign.ends_at = NOON


def _to_come(program, campaign, member):
    campaign.starts_at = NOON + timedelta(seconds=1)


def _closed_today(program, campaign, member):
    campaign.weekdays = [7]


def _for_others(program, campaign, member):
    campaign.included_segments.set([make_segment(program)])


def _below_the_tier(program, campaign, member):
    campaign.minimum_tier = make_tier(program, "Gold", 1000)


def _methods_for_others(program, campaign, member):
    for method in campaign.methods.all():
        method.included_segments.set([make_segment(program)])


def _spent(program, campaign, member):
    campaign.awards_budget = 1
    campaign.save()
    act(program, campaign, make_member(program))


def _out_of_stock(program, campaign, member):
    campaign.methods.update(usage_limit=1)
    act(program, campaign, make_member(program))


def _blocked(program, campaign, member):
    member.is_blocked = True
    member.save()


def _too_dear(program, campaign, member):
    campaign.point_cost = 1
    campaign.point_cost_wallet = wallet_of(program)


@pytest.mark.parametrize(
    ("arrange", "refusal", "reason"),
    [
        pytest.param(_disabled, CampaignNotActive, "disabled", id="disabled"),
        pytest.param(_over, CampaignNotActive, "ended", id="over"),
        pytest.param(_to_come, CampaignNotActive, "not_started", id="not started"),
        pytest.param(
            _closed_today, CampaignNotActive, "outside_schedule", id="other weekday"
        ),
        pytest.param(_for_others, NotInAudience, "not_in_segment", id="other segment"),
        pytest.param(_below_the_tier, NotInAudience, "tier_too_low", id="tier"),
        pytest.param(
            _methods_for_others, NotInAudience, "not_in_segment", id="methods"
        ),
        pytest.param(_spent, CampaignFullyRedeemed, None, id="budget spent"),
        pytest.param(_out_of_stock, CampaignFullyRedeemed, None, id="no stock"),
        pytest.param(_blocked, BlockedMember, None, id="blocked"),
        pytest.param(_too_dear, InsufficientPoints, None, id="price"),
    ],
)
def test_a_refusal_leaves_no_trace(program, arrange, refusal, reason):
    member = make_member(program)
    campaign = scratch_card(program)
    make_method(campaign)
    arrange(program, campaign, member)
    campaign.save()
    before = everything_written()

    with pytest.raises(refusal) as refused:
        act(program, campaign, member, key="k")

    assert refused.value.facts.get("reason") == reason
    assert everything_written() == before


@pytest.mark.parametrize("context", ["activity", "basket", "internal"])
def test_other_contexts_cannot_be_interacted_with(program, context):
    campaign = make_campaign(program, context=context)

    with pytest.raises(CampaignNotActive) as refused:
        act(program, campaign, make_member(program))

    assert refused.value.facts["reason"] == "other_context"


def test_campaigns_and_members_of_other_programs_are_unknown(program):
    other = make_program()
    campaign = scratch_card(program)
    make_method(campaign)

    with pytest.raises(UnknownMember):
        act(program, campaign, make_member(other))
    with pytest.raises(UnknownCampaign):
        act(program, make_campaign(other, context="interaction"), make_member(program))


def test_the_price_of_a_draw_does_not_tell_its_outcome(program, scratches):
    member = make_member(program)
    give(member, scratches, 100)
    campaign = scratch_card(program)
    make_method(campaign, usage_cost=5, usage_cost_wallet=scratches)
    make_method(campaign, usage_cost=30, usage_cost_wallet=scratches)

    for seed in range(3):
        act(program, campaign, member, seed=seed)

    assert balance(member, scratches) == 10


def test_independent_methods_are_charged_one_by_one(program, scratches):
    member = make_member(program)
    give(member, scratches, 100)
    campaign = scratch_card(
        program, handling="independent", point_cost=1, point_cost_wallet=scratches
    )
    make_method(campaign, usage_cost=5, usage_cost_wallet=scratches)
    make_method(campaign, usage_cost=30, usage_cost_wallet=scratches)
    make_method(
        campaign,
        usage_cost=50,
        usage_cost_wallet=scratches,
        excluded_segments=[make_segment(program, [member])],
    )

    act(program, campaign, member)

    assert balance(member, scratches) == 64
