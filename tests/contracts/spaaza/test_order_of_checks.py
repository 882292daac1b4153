"""Of two things that are wrong, the one that is checked earlier is told."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.db.models import Q

from activities.models import Interaction, MemberApp
from campaigns.models import Campaign
from loyalty.models import Account, Entry, Member
from tests.builders import make_member, make_program, make_segment, make_wallet
from tests.callers import make_key
from tests.contracts.spaaza.client import (
    APP,
    HOSTNAME,
    JWT,
    KEY,
    NOBODY,
    USER_ID,
    as_admin,
    as_client,
    as_member,
    done,
    make_staff,
    refused,
    scratch_card,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contracts.spaaza.client import Call

pytestmark = pytest.mark.django_db


@dataclass
class Scene:
    """A call that would succeed, and the rows it is about."""

    call: Call
    member: Any
    campaign: Any


def header(name: str, value: str | None) -> Callable[[Scene], None]:
    def spoil(scene: Scene) -> None:
        scene.call = scene.call.with_headers({name: value})

    return spoil


def query(**parameters: Any) -> Callable[[Scene], None]:
    def spoil(scene: Scene) -> None:
        scene.call.query.update(parameters)

    return spoil


def without(*names: str) -> Callable[[Scene], None]:
    def spoil(scene: Scene) -> None:
        for name in names:
            scene.call.query.pop(name, None)

    return spoil


def key_as_well(scene: Scene) -> None:
    text = make_key(scene.member.program)[1]
    scene.call.headers["Authorization"] = f"Bearer {text}"


def ownerless_app(scene: Scene) -> None:
    MemberApp.objects.create(hostname="nobody.example.com")
    scene.call.headers[APP] = "nobody.example.com"


def app_of_another(scene: Scene) -> None:
    MemberApp.objects.create(hostname="other.example.com", program=make_program())
    scene.call.headers[APP] = "other.example.com"


def no_permission(scene: Scene) -> None:
    user = make_staff("bob", "view_campaign")
    other = as_admin(scene.member, scene.campaign, user)
    scene.call.headers.update(other.headers)


def no_scope(scene: Scene) -> None:
    text = make_key(scene.member.program, can_write=False)[1]
    scene.call.headers["Authorization"] = f"Bearer {text}"


def campaign_of_another(scene: Scene) -> None:
    other = make_program()
    make_wallet(other)
    scene.call.query["campaign_id"] = scratch_card(other).pk


def other_chain(scene: Scene) -> None:
    scene.call.query["chain_id"] = make_program().pk


def somebody_else(scene: Scene) -> None:
    scene.call.query["user_id"] = make_member(scene.member.program).pk


def off(scene: Scene) -> None:
    scene.campaign.is_enabled = False
    scene.campaign.save()


def blocked(scene: Scene) -> None:
    scene.member.is_blocked = True
    scene.member.save()


def not_in_audience(scene: Scene) -> None:
    segment = make_segment(scene.member.program)
    scene.campaign.included_segments.set([segment])


def redeemed_by_all(scene: Scene) -> None:
    """Somebody else had the one reward there was."""
    costs = (scene.campaign.point_cost, scene.campaign.point_cost_wallet)
    scene.campaign.awards_budget = 1
    scene.campaign.point_cost = scene.campaign.point_cost_wallet = None
    scene.campaign.save()
    done(as_client(make_member(scene.member.program), scene.campaign).send())
    scene.campaign.point_cost, scene.campaign.point_cost_wallet = costs
    scene.campaign.save()


def too_expensive(scene: Scene) -> None:
    coins = make_wallet(scene.member.program, code="coins", name="Coins")
    scene.campaign.point_cost = 5
    scene.campaign.point_cost_wallet = coins
    scene.campaign.save()


@dataclass(frozen=True)
class Fault:
    """Something wrong with a call: its step, its code, and what it touches."""

    step: float
    code: int
    spoil: Callable[[Scene], None]
    modes: str = "user admin privileged"
    touches: str = ""


FAULTS = [
    Fault(1.1, 6, header(KEY, "unknown"), "user admin", "session"),
    Fault(1.11, 6, header(USER_ID, str(NOBODY)), "user admin", "session"),
    Fault(1.2, 265, header("Authorization", "Basic x"), touches="bearer"),
    Fault(1.3, 266, header("Authorization", "Bearer x"), "privileged", "bearer"),
    Fault(1.31, 266, header(JWT, "unknown")),
    Fault(1.4, 228, key_as_well, "user admin", "bearer"),
    Fault(1.41, 228, header(APP, HOSTNAME), "admin"),
    Fault(2.1, 269, header(APP, None), "user", "app"),
    Fault(2.2, 238, header(APP, "no.example.com"), "user privileged", "app"),
    Fault(2.3, 264, ownerless_app, "user privileged", "app"),
    Fault(3.1, 245, without("campaign_id"), touches="campaign"),
    Fault(3.2, 247, query(campaign_id="x"), touches="campaign"),
    Fault(4.1, 217, query(chain_id=NOBODY), touches="chain"),
    Fault(4.11, 217, without("chain_id"), "admin", "chain"),
    Fault(4.2, 68, no_permission, "admin", "session"),
    Fault(4.21, 68, no_scope, "privileged", "bearer"),
    Fault(5.1, 267, without("user_id"), "admin privileged", "named"),
    Fault(5.2, 416, query(user_id=1, member_number=1), touches="named"),
    Fault(5.3, 154, query(user_id="x"), touches="named"),
    Fault(5.4, 419, header("Idempotency-Key", "x" * 300)),
    Fault(6, 246, query(campaign_id=NOBODY), touches="campaign"),
    Fault(7.1, 405, campaign_of_another, touches="campaign"),
    Fault(7.2, 405, other_chain, touches="chain"),
    Fault(7.3, 405, app_of_another, "user privileged", "app"),
    Fault(8.1, 270, query(user_id=NOBODY), "admin privileged", "named"),
    Fault(8.2, 424, somebody_else, "user", "named"),
    Fault(9, 449, off),
    Fault(10.1, 424, blocked),
    Fault(10.2, 424, not_in_audience),
    Fault(12, 450, redeemed_by_all),
    Fault(13, 451, too_expensive),
]
CALLERS: dict[str, Callable[..., Call]] = {
    "user": as_member,
    "admin": as_admin,
    "privileged": as_client,
}
SINGLE = [
    pytest.param(mode, one, id=f"{mode}-{one.step}-{one.code}")
    for mode in CALLERS
    for one in FAULTS
    if mode in one.modes
]


def later_than(mode: str, first: Fault) -> list[Fault]:
    """Return the faults of later steps that can be made together with ``first``.

    A later fault must not undo an earlier one. Each pair once: where both can be
    made in several ways to authenticate, in the first of them.
    """
    earlier = list(CALLERS)[: list(CALLERS).index(mode)]
    return [
        then
        for then in FAULTS
        if mode in then.modes
        and not any(one in first.modes and one in then.modes for one in earlier)
        and int(first.step) < int(then.step)
        and (not first.touches or first.touches != then.touches)
    ]


@pytest.fixture
def scene(member, campaign, request):
    mode = request.getfixturevalue("mode")
    return Scene(CALLERS[mode](member, campaign), member, campaign)


def fresh(scene):
    """Return the rows as they stand in the database."""
    return Member.objects.get(pk=scene.member.pk), Campaign.objects.get(
        pk=scene.campaign.pk
    )


def nothing_written(scene):
    mine = Q(credit_account__member=scene.member) | Q(
        debit_account__member=scene.member
    )
    entries = Entry.objects.filter(mine)
    interactions = Interaction.objects.filter(member=scene.member)
    return not entries.exists() and not interactions.exists()


@pytest.mark.parametrize(("mode", "fault"), SINGLE)
def test_each_check_refuses_and_writes_nothing(mode, fault, scene):
    fault.spoil(scene)

    refused(scene.call.send(), fault.code)

    assert nothing_written(scene)


@pytest.mark.parametrize(
    ("mode", "first"),
    [
        pytest.param(mode, one, id=f"{mode}-{one.step}-{one.code}")
        for mode in CALLERS
        for one in FAULTS
        if mode in one.modes and later_than(mode, one)
    ],
)
def test_of_each_pair_the_earlier_check_wins(mode, first, scene):
    found = {}
    for then in later_than(mode, first):
        with transaction.atomic():
            together = Scene(copy.deepcopy(scene.call), *fresh(scene))
            then.spoil(together)
            first.spoil(together)

            answer = together.call.send()

            assert nothing_written(together)
            transaction.set_rollback(True)
        found[then.step] = answer.json().get("error", {}).get("code")

    assert found == dict.fromkeys(found, first.code)


@pytest.mark.parametrize("mode", CALLERS)
def test_with_nothing_wrong_the_interaction_happens(mode, scene):
    done(scene.call.send())

    assert Interaction.objects.get().mode == mode
    assert Account.objects.get(member=scene.member).balance == 10
