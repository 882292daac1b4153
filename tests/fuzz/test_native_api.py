"""The native API keeps to its own document, whatever it is sent."""

import os

import pytest
from drf_spectacular.generators import SchemaGenerator

from activities.models import Draw
from campaigns.models import AssignedGroup, CampaignGroup
from loyalty.models import Partner, Tag
from tests import builders
from tests.callers import caller_for, make_key, purchase_body
from tests.fuzz.contracts import MODES, Contract, check_operation

# More of them find more; this many take about a minute.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))


def document():
    """Return the native API's part of what ``/api/v1/schema`` gives."""
    whole = SchemaGenerator().get_schema(request=None, public=True)
    native = {
        path: methods
        for path, methods in whole["paths"].items()
        if path.startswith("/api/v1/")
    }
    return {**whole, "paths": native}


NATIVE = Contract(document)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def program(db):
    return builders.make_program()


@pytest.fixture
def numbers(program):
    """The number of a row of every resource, by the first word of its path."""
    member = builders.make_member(program, "C-1")
    activity_type = builders.make_type(program)
    activity = caller_for(program).post("activities", purchase_body(member)).json()
    card = builders.make_campaign(
        program,
        context="interaction",
        reward_method="methods",
        handling="random_draw",
        points=0,
    )
    builders.make_method(card)
    interaction = (
        caller_for(program)
        .post(f"campaigns/{card.pk}/interactions", {"member": {"id": member.pk}})
        .json()
    )
    return {
        "programs": program.pk,
        "business-units": builders.make_unit(program).pk,
        "partners": Partner.objects.create(program=program, name="Bakery").pk,
        "tags": Tag.objects.create(program=program, name="spring").pk,
        "tiers": builders.make_tier(program, "Gold", 5).pk,
        "channels": builders.make_channel(program).pk,
        "segments": builders.make_segment(program, [member]).pk,
        "wallets": activity_type.wallet_id,
        "activity-types": activity_type.pk,
        "campaigns": builders.make_campaign(program).pk,
        "quests": builders.make_quest(program).pk,
        "measured": builders.make_campaign(
            program, holdout_percent=50, starts_at=builders.NOON
        ).pk,
        **groups_of(program),
        "draws": Draw.objects.get().pk,
        "backtests": caller_for(program).post("backtests", PERIOD).json()["id"],
        "members": member.pk,
        "activities": activity["id"],
        "interactions": interaction["id"],
        "cards": card.pk,
        "voucher-types": builders.make_voucher_type(program, codes="listed").pk,
        "vouchers": claimed_voucher(member).code,
    }


def groups_of(program):
    """Return the numbers of groups of campaigns and of products, and of a list."""
    item_list = builders.make_item_list(program, ["1", "2"])
    products = AssignedGroup.objects.create(
        program=program, name="Bread", kind="redeem", item_list=item_list
    )
    return {
        "item-lists": item_list.pk,
        "assigned-groups": products.pk,
        "campaign-groups": CampaignGroup.objects.create(program=program, name="May").pk,
    }


def claimed_voucher(member):
    """Return a voucher that can be locked, redeemed and let go."""
    return builders.make_voucher(
        builders.make_voucher_type(member.program),
        member,
        status="claimed",
        claimed_at=builders.NOON,
    )


# Members of bodies that name rows, and the resource they name.
REFERENCES = {
    "wallet": "wallets",
    "business_unit": "business-units",
    "minimum_tier": "tiers",
    "segment": "segments",
    "partner": "partners",
    "item_list": "item-lists",
    "group": "campaign-groups",
}
LISTS = {
    "tags": "tags",
    "channels": "channels",
    "activity_types": "activity-types",
    "included_segments": "segments",
    "excluded_segments": "segments",
    "members": "members",
    "business_units": "business-units",
    "campaigns": "campaigns",
}
PERIOD = {"from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
ACTIVITY = {
    "member": {"kind": "customer_id", "value": "C-1"},
    "type": "PURCHASE",
    "channel": "STORE",
    "business_unit": "grocery",
    "occurred_at": "2026-03-04T12:00:00Z",
}

# Members of an offer that only some combinations of go together.
OFFER = {
    "reward_method": "fixed",
    "points": "5",
    "multiplier": None,
    "cap_count": None,
    "frequency_period": None,
    "starts_at": None,
    "ends_at": None,
}


def anchored_on(numbers):
    """Return what lets a call name these rows."""

    def anchor(case):
        resource = case.path.removeprefix("/api/v1/").split("/")[0]
        for name in {"id", "code"} & (case.path_parameters or {}).keys():
            row = "measured" if "/effect" in case.path else resource
            case.path_parameters[name] = numbers.get(row, 1)
        if not isinstance(case.body, dict):
            return
        if resource.startswith("voucher"):
            case.body.update(anchors_of_voucher(case.body, numbers))
            return
        if "campaign_id" in (case.path_parameters or {}):
            case.path_parameters["campaign_id"] = numbers["cards"]
            case.body["member"] = ACTIVITY["member"]
            return
        many = case.body.get("activities")
        for one in many if isinstance(many, list) else [case.body]:
            if isinstance(one, dict):
                one.update(anchors_of(one, numbers, is_activity="occurred_at" in one))

    return anchor


def anchors_of_voucher(body, numbers):
    """Return what lets a call name vouchers and a type be worth something."""
    found = {"member": numbers["members"]} if "member" in body else {}
    if "kind" in body:
        found |= {"kind": "basket", "amount": "5", "discount_ratio": None}
    if isinstance(body.get("codes"), list):
        found["codes"] = [numbers["vouchers"]]
    return found


def anchors_of(body, numbers, *, is_activity):
    if is_activity:
        # Either a member or somebody unknown, not both.
        body.pop("anonymous_id", None)
        tried = {"with_campaigns": [numbers["campaigns"]]}
        return ACTIVITY | (tried if "with_campaigns" in body else {})
    found = {name: numbers[REFERENCES[name]] for name in REFERENCES if name in body}
    found |= {name: [numbers[LISTS[name]]] for name in LISTS if name in body}
    return found | (OFFER if "reward_method" in body else {})


@pytest.mark.parametrize("mode", MODES, ids=["as described", "not as described"])
@pytest.mark.parametrize(
    "operation", NATIVE.operations(), ids=lambda operation: operation.label
)
def test_every_answer_is_one_that_the_document_tells_of(
    operation, mode, program, numbers
):
    _, key = make_key(program)

    check_operation(
        operation,
        mode,
        headers={"Authorization": f"Bearer {key}"},
        anchor=anchored_on(numbers),
        examples=EXAMPLES,
    )
