"""What credit_activity promises beyond recording: dates, units, numbers of types."""

from datetime import timedelta

import pytest

from activities.models import Activity
from activities.services.commands import UnknownActivityType
from activities.services.crediting import (
    Credit,
    DatedCreditsDisabled,
    NoSingleBusinessUnit,
    credit_activity,
)
from loyalty.models import Account, Entry
from tests.builders import NOON, make_member, make_program, make_type, make_unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program()


def credit(program, kind, member, **fields):
    command = Credit(
        source="test",
        key=f"key-{Activity.objects.count()}",
        activity_type_id=kind.pk,
        member=member.pk,
        received_at=NOON,
        **fields,
    )
    return credit_activity(program.pk, command, now=NOON)


def survey(program, **fields):
    return make_type(program, "SURVEY", reward_method="fixed", points=100, **fields)


def test_a_credit_pays_what_the_type_says(program):
    member = make_member(program)

    credit(program, survey(program), member)

    assert Account.objects.get(member=member).balance == 100


def test_a_credit_without_a_date_happened_when_it_was_received(program):
    outcome = credit(program, survey(program), make_member(program))

    assert Activity.objects.get(pk=outcome.activity_id).occurred_at == NOON


def test_a_date_is_refused_until_the_program_allows_it(program):
    kind, member = survey(program), make_member(program)
    yesterday = NOON - timedelta(days=1)

    with pytest.raises(DatedCreditsDisabled):
        credit(program, kind, member, occurred_at=yesterday)
    program.allows_backdating = True
    program.save()
    outcome = credit(program, kind, member, occurred_at=yesterday)

    assert Activity.objects.get().pk == outcome.activity_id
    assert Activity.objects.get().occurred_at == yesterday


def test_a_type_of_another_program_is_unknown(program):
    foreign = survey(make_program())

    with pytest.raises(UnknownActivityType):
        credit(program, foreign, make_member(program))


def test_a_caller_bound_to_one_unit_acts_for_it(program):
    make_unit(program, "grocery")
    kind, member = survey(program), make_member(program)

    credit(program, kind, member, unit_codes=frozenset({"grocery"}))

    assert Entry.objects.get().business_unit.code == "grocery"


def test_a_caller_bound_to_several_units_acts_for_the_types_own(program):
    units = frozenset({"grocery", "fashion"})
    make_unit(program, "grocery")
    fashion = make_unit(program, "fashion")
    kind, member = survey(program, business_unit=fashion), make_member(program)

    credit(program, kind, member, unit_codes=units)

    assert Entry.objects.get().business_unit == fashion


def test_a_caller_that_could_mean_several_units_is_refused(program):
    make_unit(program, "grocery")
    make_unit(program, "fashion")

    with pytest.raises(NoSingleBusinessUnit):
        credit(
            program,
            survey(program),
            make_member(program),
            unit_codes=frozenset({"grocery", "fashion"}),
        )


def test_a_caller_bound_to_a_unit_cannot_credit_the_type_of_another(program):
    make_unit(program, "grocery")
    kind = survey(program, business_unit=make_unit(program, "fashion"))

    with pytest.raises(NoSingleBusinessUnit):
        credit(program, kind, make_member(program), unit_codes=frozenset({"grocery"}))
