"""Quests over the contract: opt-in, progress, and what the tables say of both."""

from datetime import timedelta

import pytest

from loyalty.models import Account, Voucher
from tests.builders import (
    NOON,
    make_member,
    make_program,
    make_quest,
    make_type,
    make_voucher_type,
)
from tests.contracts.hang.client import HangClient, recorded, refused

pytestmark = pytest.mark.django_db
SECONDS = int(NOON.timestamp())
DAY = 86_400
STATUSES = {"opted_in", "all_requirements_completed", "prize_claimed", "non_redeemable"}


@pytest.fixture
def quest(program):
    """Spend 100 on an item within thirty days of opting in, for 500 points."""
    return make_quest(
        program,
        {
            "activity_type": program.offer_set.get(code="activity_type_1").activitytype,
            "measure": "value",
            "value_threshold": 100,
            "restricted_to_ids": ["item_1"],
        },
        opt_in_mode="by_call",
        time_to_complete_minutes=30 * 1440,
        points=500,
    )


def opt_in_of(response):
    assert response.status_code == 200, response.content
    assert set(response.json()) == {"opt_in"}
    return response.json()["opt_in"]


def only(response):
    assert response.status_code == 200, response.content
    (found,) = response.json()["opt_ins"]
    assert found["status"] in STATUSES
    return found


def buy(client, member, payload, key, item="item_1", value=30, **members):
    line = {"item_id": item, "value": value}
    body = payload("purchase", key=key, line_items=[line], **members)
    return recorded(client.record(member, body), key)


def balance(member):
    return sum(Account.objects.filter(member=member).values_list("balance", flat=True))


def test_an_opt_in_reads_as_on_the_page(client, member, quest):
    found = opt_in_of(client.opt_in(member, quest))

    assert found == {
        "id": found["id"],
        "quest_id": str(quest.pk),
        "created_at": SECONDS,
        "updated_at": SECONDS,
        "expires_at": SECONDS + 30 * DAY,
        "status": "opted_in",
        "progress": [
            {
                "activity_id": "activity_type_1",
                "value": 0,
                "updated_at": SECONDS,
                "fulfilled_at": None,
                "prize_claimed_at": None,
            }
        ],
    }
    assert found["id"].isdigit()


def test_opting_in_again_returns_the_same(client, member, quest, frozen):
    first = opt_in_of(client.opt_in(member, quest))
    frozen.shift(timedelta(hours=1))

    assert opt_in_of(client.opt_in(member, quest)) == first


def test_only_matching_line_items_count_towards_the_requirement(
    client, member, payload, quest
):
    client.opt_in(member, quest)
    buy(client, member, payload, "a")
    buy(client, member, payload, "b", item="item_2")

    assert only(client.opt_ins(member))["progress"][0]["value"] == 30
    assert balance(member) == 100


def test_without_a_restriction_the_value_counts(client, program, member, payload):
    kind = program.offer_set.get(code="activity_type_1").activitytype
    quest = make_quest(
        program,
        {"activity_type": kind, "measure": "value", "value_threshold": 100},
        opt_in_mode="by_call",
    )
    client.opt_in(member, quest)

    buy(client, member, payload, "a", value="12.5")

    assert only(client.opt_ins(member))["progress"][0]["value"] == 50


def test_progress_is_an_exact_number(client, member, payload, quest):
    client.opt_in(member, quest)
    buy(client, member, payload, "a", value="0.1")
    buy(client, member, payload, "b", value="0.2")

    assert b'"value":0.3,' in client.opt_ins(member).content


def test_the_activity_that_reaches_the_threshold_brings_the_prize(
    client, member, payload, quest, frozen
):
    client.opt_in(member, quest)
    for number, key in enumerate("abcd"):
        frozen.shift(timedelta(minutes=1))
        buy(
            client,
            member,
            payload,
            key,
            value=30 if key != "d" else 10,
            transaction_timestamp=SECONDS + 60 * (number + 1),
        )

    found = only(client.opt_ins(member))
    (step,) = found["progress"]
    assert found["status"] == "prize_claimed"
    assert step == {
        "activity_id": "activity_type_1",
        "value": 100,
        "updated_at": SECONDS + 240,
        "fulfilled_at": SECONDS + 240,
        "prize_claimed_at": SECONDS + 240,
    }
    assert balance(member) == 4 * 50 + 500


def test_a_replay_makes_no_progress(client, member, payload, quest):
    client.opt_in(member, quest)
    buy(client, member, payload, "a")
    buy(client, member, payload, "a")

    assert only(client.opt_ins(member))["progress"][0]["value"] == 30


def test_who_did_not_opt_in_makes_no_progress(client, member, payload, quest):
    buy(client, member, payload, "a", value=100)

    assert client.opt_ins(member).json() == {"opt_ins": []}
    assert balance(member) == 50


def test_an_expired_opt_in_is_not_redeemable(client, member, payload, quest, frozen):
    client.opt_in(member, quest)
    frozen.shift(timedelta(days=30))

    assert only(client.opt_ins(member))["status"] == "non_redeemable"


def test_without_a_prize_left_all_requirements_are_completed(
    client, program, member, payload, quest
):
    quest.completions_total = 1
    quest.save()
    other = make_member(program)
    for one in (member, other):
        client.opt_in(one, quest)
    for one, key in ((member, "a"), (other, "b")):
        buy(client, one, payload, key, value=100)

    assert only(client.opt_ins(member))["status"] == "prize_claimed"
    assert only(client.opt_ins(other))["status"] == "all_requirements_completed"


def test_an_endless_quest_expires_never(client, program, member):
    kind = program.offer_set.get(code="activity_type_1").activitytype
    quest = make_quest(program, {"activity_type": kind}, opt_in_mode="by_call")

    assert opt_in_of(client.opt_in(member, quest))["expires_at"] is None


def test_an_automatic_quest_shows_with_the_first_activity_that_counts(
    client, program, member, payload
):
    kind = program.offer_set.get(code="activity_type_1").activitytype
    make_quest(program, {"activity_type": kind})

    buy(client, member, payload, "a")

    assert only(client.opt_ins(member))["progress"][0]["value"] == 1


@pytest.mark.parametrize("where", ["quest_1", "0", "9" * 30, "-1"])
def test_an_unknown_quest_is_404(client, member, where):
    refused(client.opt_in(member, where), 404, "Could not find the quest provided.")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_quest_that_is_not_published_is_unknown(client, member, quest, status):
    quest.status = status
    quest.save()

    refused(client.opt_in(member, quest), 404, "Could not find the quest provided.")


def test_a_quest_that_is_over_cannot_be_joined(client, member, quest):
    quest.ends_at = NOON
    quest.save()

    refused(
        client.opt_in(member, quest),
        422,
        "The quest is not open to the program membership.",
    )


def test_a_completed_quest_cannot_be_joined_again(client, member, payload, quest):
    client.opt_in(member, quest)
    buy(client, member, payload, "a", value=100)

    refused(client.opt_in(member, quest), 422, "The quest has been completed.")


def test_a_quest_without_prizes_left_cannot_be_joined(
    client, program, member, payload, quest
):
    quest.completions_total = 1
    quest.save()
    client.opt_in(member, quest)
    buy(client, member, payload, "a", value=100)

    refused(
        client.opt_in(make_member(program), quest),
        422,
        "The quest has no prizes left.",
    )


def test_a_blocked_membership_cannot_take_part(client, member, quest):
    member.is_blocked = True
    member.save()

    refused(client.opt_in(member, quest), 422, "The program membership is not active.")


@pytest.mark.parametrize("membership", ["x", "0", "9" * 30])
def test_an_unknown_membership_is_404(client, quest, membership):
    words = "Could not find the program membership provided."

    refused(client.opt_in(membership, quest), 404, words)
    refused(client.opt_ins(membership), 404, words)


def test_programs_do_not_see_each_other_s_quests(client, member, quest):
    elsewhere = make_program()
    make_type(elsewhere, "activity_type_1")
    stranger = make_member(elsewhere)

    words = "Could not find the quest provided."
    refused(HangClient(elsewhere).opt_in(stranger, quest), 404, words)
    assert client.opt_ins(stranger).status_code == 404


def claim(client, opt_in_id):
    path = f"/partner-api/opt-ins/{opt_in_id}/claim-quest-prize"
    return client.http.post(path, headers={"X-API-Key": client.key})


def test_a_prize_is_read_by_claiming_it_and_given_once(client, member, payload, quest):
    opt_in_id = opt_in_of(client.opt_in(member, quest))["id"]
    refused(claim(client, opt_in_id), 422, "The quest prize is not redeemable.")
    buy(client, member, payload, "a", value=100)

    for _ in range(2):
        assert claim(client, opt_in_id).json() == {
            "prize": {
                "point_reward_value": 500,
                "sponsor_name": None,
                "lootbox": None,
                "reward": None,
            }
        }
    assert balance(member) == 550


def test_a_voucher_is_a_prize_too(client, program, member, payload, quest):
    quest.reward_method, quest.points = "voucher", 0
    quest.voucher_type = make_voucher_type(program, title="Free coffee")
    quest.save()
    opt_in_id = opt_in_of(client.opt_in(member, quest))["id"]

    buy(client, member, payload, "a", value=100)

    voucher = Voucher.objects.get(member=member)
    prize = claim(client, opt_in_id).json()["prize"]
    assert prize["point_reward_value"] == 0
    assert (prize["reward"]["name"], prize["reward"]["code"]) == (
        "Free coffee",
        voucher.code,
    )


@pytest.mark.parametrize("opt_in_id", ["x", "0", "9" * 30])
def test_an_unknown_opt_in_has_no_prize(client, opt_in_id):
    refused(claim(client, opt_in_id), 404, "Could not find the opt-in provided.")


def test_an_opt_in_of_another_program_has_no_prize(client, member, quest):
    opt_in_id = opt_in_of(client.opt_in(member, quest))["id"]

    refused(
        claim(HangClient(make_program()), opt_in_id),
        404,
        "Could not find the opt-in provided.",
    )
