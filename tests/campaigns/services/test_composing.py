"""Which parts of a campaign cannot go together, each with its sentence."""

from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.models import AssignedGroup, Campaign, CampaignGroup, RewardMethod
from campaigns.services.composing import Part, problems_of
from loyalty.models import BusinessUnit, Channel, Segment, Tier, Wallet
from tests.builders import NOON

LINKED = {
    "channels": [Channel(code="STORE")],
    "included_segments": [Segment(name="VIP")],
    "qualify_groups": [AssignedGroup(name="Tea", kind="qualify")],
    "business_units": [BusinessUnit(name="Grocery")],
}
REDEEM = AssignedGroup(name="Cups", kind="redeem")
POINTS = Wallet(pk=1, name="Points", decimals=0)
STARS = Wallet(pk=2, name="Stars", decimals=2)
QUALIFY = AssignedGroup(name="Tea", kind="qualify")
OTHERS = "choose a fixed number of points, a voucher, or nothing."


def told(campaign, methods=()):
    links = {name: campaign.pop(name) for name in LINKED if name in campaign}
    parts = []
    for fields in methods:
        of_method = {name: fields[name] for name in LINKED if name in fields}
        values = {k: v for k, v in fields.items() if k not in LINKED}
        method = RewardMethod(**{"name": "One", "points": 1, **values})
        parts.append(Part(method, of_method))
    row = Campaign(**{"name": "It", "points": 1, **campaign})
    found = problems_of(Part(row, links), parts)
    return [("/".join(map(str, one.path)), one.sentence) for one in found]


def composed(**fields):
    return {"reward_method": "methods", **fields}


def drawn(**fields):
    return composed(context="interaction", handling="random_draw", **fields)


@pytest.mark.parametrize("context", ["interaction", "internal"])
@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("minimum_value", Decimal(5), "Values"),
        ("maximum_value", Decimal(5), "Values"),
        ("currencies", ["EUR"], "Currencies"),
        ("qualify_groups", LINKED["qualify_groups"], "Groups of products"),
        (
            "business_units",
            LINKED["business_units"],
            "The units where a basket was bought",
        ),
    ],
)
def test_what_needs_an_activity_is_refused_without_one(context, field, value, what):
    sentence = f"{what} belong to activities; this context has none."
    if context == "internal":
        first = what[0].lower() + what[1:]
        sentence = (
            f"Nothing sets this campaign off, so it takes no restrictions: {first} too."
        )

    of_campaign = told({"context": context, field: value})
    of_method = told(composed(context=context), [{field: value}])

    if context == "interaction":
        assert of_campaign == [(field, sentence)]
        assert of_method == [(f"methods/0/{field}", sentence)]
    else:
        assert [where for where, _ in of_campaign] == [field]
        assert [where for where, _ in of_method] == [f"methods/0/{field}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("included_segments", LINKED["included_segments"]),
        ("minimum_tier", Tier(pk=7)),
        ("starts_at", NOON),
        ("weekdays", [1]),
        ("cap_count", 1),
    ],
)
def test_what_needs_a_member_is_refused_where_nothing_sets_it_off(field, value):
    assert len(told({"context": "internal", field: value})) == 1
    assert told({"context": "interaction", field: value}) == []
    assert told({"context": "basket", field: value}) == []


IMPOSSIBLE = [
    pytest.param(
        {"context": "interaction", "reward_method": "per_value"},
        [],
        ("reward_method", OTHERS),
        id="value in an interaction",
    ),
    pytest.param(
        composed(context="interaction"),
        [{"reward_method": "multiplier", "multiplier": 1}],
        ("methods/0/reward_method", OTHERS),
        id="multiple in an interaction",
    ),
    pytest.param(
        composed(wallet=POINTS, points_budget=5),
        [
            {"wallet": STARS, "reward_method": "fixed"},
            {"wallet": POINTS, "reward_method": "fixed"},
            {"wallet": STARS, "reward_method": "nothing", "points": 0},
        ],
        ("methods/0/wallet", "A points budget counts points of the campaign's own"),
        id="points budget over two wallets",
    ),
    pytest.param(
        {"context": "basket", "point_cost": 5},
        [],
        ("point_cost", "Only members who interact pay a price"),
        id="price of a basket",
    ),
    pytest.param(
        composed(context="activity"),
        [{"usage_cost": 5}],
        ("methods/0/usage_cost", "Only members who interact pay a price"),
        id="price of a method of a basket",
    ),
    pytest.param(
        drawn(),
        [{"weight": 0}, {"weight": 3, "is_enabled": False}],
        ("methods", "one of the enabled reward methods at least needs a chance above"),
        id="draw without a chance",
    ),
    pytest.param(
        drawn(),
        [
            {"usage_cost": 5, "usage_cost_wallet": POINTS},
            {"usage_cost": 5, "usage_cost_wallet": STARS},
        ],
        ("methods/1/usage_cost_wallet", "all of its prices are paid from one wallet."),
        id="draw paid from two wallets",
    ),
    pytest.param(
        drawn(point_cost=450, point_cost_wallet=POINTS),
        [{"usage_cost": 5, "usage_cost_wallet": POINTS}],
        ("methods/0/usage_cost", "A draw costs what the campaign says"),
        id="draw with two prices",
    ),
    pytest.param(
        composed(context="interaction"),
        [{"weight": 3}],
        ("methods/0/weight", "Chances belong to draws"),
        id="chance without a draw",
    ),
    pytest.param(
        {"handling": "random_draw"},
        [],
        ("handling", "Only reward methods can be drawn"),
        id="draw of nothing",
    ),
    pytest.param(
        {"reward_method": "fixed"},
        [{}],
        ("reward_method", "It has reward methods: let it pay"),
        id="methods beside another reward",
    ),
    pytest.param(
        composed(is_enabled=True),
        [],
        ("methods", "Add an enabled reward method before the campaign is enabled"),
        id="enabled without methods",
    ),
    pytest.param(
        composed(),
        [{"reward_method": "methods"}],
        ("methods/0/reward_method", "Say what this method gives."),
        id="methods of methods",
    ),
    pytest.param(
        composed(context="interaction"),
        [{"distribution": "per_item"}],
        ("methods/0/distribution", "Only a fixed number of points for a basket"),
        id="products of an interaction",
    ),
    pytest.param(
        composed(context="basket"),
        [{"distribution": "spread", "reward_method": "per_value"}],
        ("methods/0/distribution", "Only a fixed number of points for a basket"),
        id="value spread over products",
    ),
    pytest.param(
        composed(context="basket"),
        [{"reward_method": "per_item_value"}],
        ("methods/0/redeem_group", "Points per matching items need products"),
        id="products nobody named",
    ),
    pytest.param(
        {"reward_method": "per_item_value"},
        [],
        ("item_list", "Points per matching items need a list of items."),
        id="list nobody named",
    ),
    pytest.param(
        composed(context="basket"),
        [{"redeem_group": QUALIFY}],
        ("methods/0/redeem_group", "is a group of products to qualify; it cannot"),
        id="qualifying group as reward",
    ),
    pytest.param(
        {"context": "basket", "qualify_groups": [REDEEM]},
        [],
        ("qualify_groups", "is a group of products to reward; it cannot qualify"),
        id="rewarded group as condition",
    ),
    pytest.param(
        {"starts_at": NOON, "group": CampaignGroup(name="Spring", ends_at=NOON)},
        [],
        ("group", "its group “Spring” are never open at the same time"),
        id="after its group",
    ),
    pytest.param(
        composed(ends_at=NOON),
        [{"starts_at": NOON}],
        ("methods/0/starts_at", "are never open at the same time."),
        id="method after its campaign",
    ),
    pytest.param(
        {"context": "interaction", "channels": LINKED["channels"]},
        [],
        ("channels", "Channels belong to activities; this context has none."),
        id="channel of an interaction",
    ),
    pytest.param(
        {"context": "interaction", "required_attempts": 3},
        [],
        ("required_attempts", "Only activities are attempts"),
        id="every third interaction",
    ),
    pytest.param(
        drawn(point_cost=Decimal("4.5"), point_cost_wallet=POINTS),
        [{}],
        ("point_cost", "“Points” counts whole points: a price of 4.5 cannot be paid."),
        id="price of half a point",
    ),
    pytest.param(
        composed(context="interaction"),
        [{"usage_cost": Decimal("0.125"), "usage_cost_wallet": STARS}],
        ("methods/0/usage_cost", "“Stars” counts 2 decimals: a price of 0.125 cannot"),
        id="price of a method finer than its wallet",
    ),
    pytest.param(
        {"currencies": ["eur"]},
        [],
        ("currencies", "“eur” is no currency: write its ISO code"),
        id="currency in small letters",
    ),
]


@pytest.mark.parametrize(("campaign", "methods", "expected"), IMPOSSIBLE)
def test_what_cannot_go_together_is_told(campaign, methods, expected):
    where, sentence = expected

    found = told({**campaign}, methods)

    assert [path for path, _ in found] == [where]
    assert sentence in found[0][1]


POSSIBLE = [
    pytest.param(composed(is_enabled=False), [], id="draft without methods"),
    pytest.param(
        drawn(point_cost=450, point_cost_wallet=POINTS),
        [{"weight": 1}, {"weight": 9, "reward_method": "nothing"}],
        id="scratch card",
    ),
    pytest.param(
        drawn(point_cost=Decimal("4.50"), point_cost_wallet=STARS),
        [{}],
        id="price in decimals that the wallet has",
    ),
    pytest.param(
        {"context": "basket", "required_attempts": 3},
        [],
        id="every third basket",
    ),
    pytest.param(
        composed(context="basket", minimum_value=5, currencies=["EUR"]),
        [{"distribution": "spread", "redeem_group": REDEEM}],
        id="points spread over a basket",
    ),
    pytest.param(
        composed(context="interaction"),
        [
            {"usage_cost": 5, "usage_cost_wallet": POINTS},
            {"usage_cost": 5, "usage_cost_wallet": STARS},
        ],
        id="independent rewards with prices of their own",
    ),
    pytest.param(
        {
            "starts_at": NOON,
            "group": CampaignGroup(ends_at=NOON + timedelta(seconds=1)),
        },
        [],
        id="a second with its group",
    ),
]


@pytest.mark.parametrize(("campaign", "methods"), POSSIBLE)
def test_what_goes_together_is_not_refused(campaign, methods):
    assert told({**campaign}, methods) == []
