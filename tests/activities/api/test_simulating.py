"""What an activity would earn; nothing is written."""

from activities.models import Activity
from loyalty.models import Account, Entry
from tests import builders
from tests.callers import caller_for, pointers_in, problem_in, purchase_body


def test_a_simulation_tells_what_the_recording_then_pays(program, client, member):
    builders.make_campaign(program, points=10)

    simulated = client.post("activities/simulate", purchase_body(member))
    recorded = client.post("activities?explain=1", purchase_body(member))

    assert simulated.status_code == 200, simulated.content
    for name in ("totals", "earned", "explanation", "type", "member"):
        assert simulated.json()[name] == recorded.json()[name]


def test_a_simulation_writes_nothing(client, member):
    client.post("activities/simulate", purchase_body(member))

    assert Activity.objects.count() == 0
    assert Entry.objects.count() == 0
    assert Account.objects.filter(member=member).count() == 0


def test_a_recorded_activity_is_simulated_anew(program, client, member):
    builders.make_campaign(program, cap_count=1, frequency_period_id=2, points=10)
    client.post("activities", purchase_body(member))

    simulated = client.post("activities/simulate", purchase_body(member))

    assert simulated.json()["totals"]["loyalty"]["bonus"] == 0


def test_reading_is_enough_to_simulate(program, member):
    reader = caller_for(program, can_write=False)

    response = reader.post("activities/simulate", purchase_body(member))

    assert response.status_code == 200, response.content


def test_what_would_be_refused_is_refused(client, member):
    unknown = client.post("activities/simulate", purchase_body(member, type="NOBODY"))
    wrong = client.post("activities/simulate", purchase_body(member, value="x"))
    no_object = client.post("activities/simulate", b"[]")

    problem = problem_in(unknown, 422, "unknown_activity_type")
    assert pointers_in(problem) == [("/type", "unknown_activity_type")]
    assert pointers_in(problem_in(wrong, 400, "invalid")) == [
        ("/value", "invalid_number")
    ]
    problem_in(no_object, 400, "invalid")


def test_drafts_are_tried_where_they_are_named(program, client, member):
    draft = builders.make_campaign(program, is_enabled=False, points=10)

    without = client.post("activities/simulate", purchase_body(member)).json()
    tried = client.post(
        "activities/simulate",
        {**purchase_body(member), "with_campaigns": [draft.pk]},
    ).json()

    assert without["totals"]["loyalty"]["bonus"] == 0
    assert "with_campaigns" not in without
    assert tried["totals"]["loyalty"]["bonus"] == 10
    assert tried["with_campaigns"] == [{"campaign": draft.pk, "is_live": False}]
    draft.refresh_from_db()
    assert not draft.is_enabled


def test_a_tried_draft_says_why_it_does_not_pay(program, client, member):
    body = purchase_body(member)
    later = builders.make_campaign(
        program, is_enabled=False, starts_at="2999-01-01T00:00:00Z"
    )
    elsewhere = builders.make_campaign(
        program, is_enabled=False, included_segments=[builders.make_segment(program)]
    )

    response = client.post(
        "activities/simulate",
        {**body, "with_campaigns": [later.pk, elsewhere.pk]},
    )

    reasons = {
        one["offer"]: one["reason"]
        for one in response.json()["explanation"]["rejections"]
    }
    assert reasons[later.pk] == "not_started"
    assert reasons[elsewhere.pk] == "not_in_segment"


def test_a_tried_draft_starts_where_the_moment_lies_ahead(program, client, member):
    draft = builders.make_campaign(
        program, is_enabled=False, points=10, starts_at="2998-01-01T00:00:00Z"
    )
    body = {
        **purchase_body(member),
        "occurred_at": "2998-02-01T00:00:00Z",
        "with_campaigns": [draft.pk],
    }

    response = client.post("activities/simulate", body)

    assert response.json()["totals"]["loyalty"]["bonus"] == 10, response.content


def test_what_cannot_be_tried_is_refused(program, client, member):
    foreign = builders.make_campaign(builders.make_program())
    card = builders.make_campaign(program, context="interaction")

    for tried, status in (
        ([foreign.pk], 422),
        ([card.pk], 422),
        ([0], 400),
        ("7", 400),
        ([2**60], 400),
    ):
        body = {**purchase_body(member), "with_campaigns": tried}
        response = client.post("activities/simulate", body)
        assert response.status_code == status, (tried, response.content)
