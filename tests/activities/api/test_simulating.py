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
