"""Who changes the configuration is said in the transaction of the change only."""

import pytest
from django.db import IntegrityError, connection, transaction

from loyalty.admin.middleware import acting_as
from loyalty.models import Channel, ConfigurationRevision
from tests.builders import make_program

pytestmark = pytest.mark.django_db(transaction=True)


def actor_of_connection():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('loyalty.actor', true), '')")
        return cursor.fetchone()[0]


def actors():
    rows = ConfigurationRevision.objects.order_by("pk")
    return list(rows.values_list("actor", flat=True))


def test_nothing_of_it_stays_on_the_connection_between_two_changes():
    program = make_program()

    with acting_as("anna"):
        Channel.objects.create(program=program, code="APP", name="App")
        assert actor_of_connection() == ""
        with transaction.atomic():
            Channel.objects.create(program=program, code="POS", name="Till")
            assert actor_of_connection() == "anna"
        assert actor_of_connection() == ""

    assert actors()[-2:] == ["anna", "anna"]


def test_a_change_after_one_that_was_taken_back_is_named_still():
    program = make_program()

    with acting_as("anna"), transaction.atomic():
        try:
            with transaction.atomic():
                Channel.objects.create(program=program, code="APP", name="App")
                Channel.objects.create(program=program, code="APP", name="Twice")
        except IntegrityError:
            pass
        Channel.objects.create(program=program, code="POS", name="Till")

    assert actors()[-1] == "anna"


def test_changes_outside_are_nobodys():
    program = make_program()
    with acting_as("anna"):
        pass

    Channel.objects.create(program=program, code="APP", name="App")

    assert actors()[-1] == ""
