"""The nightly check of the ledger, and where its result stands."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from activities.models import LedgerCheck
from activities.reports import ledger_mismatches
from activities.services.ledger_checks import keep_check, last_check
from activities.services.recording import record_activity
from tests.builders import NOON, make_member, make_program, make_type, purchase

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db):
    program = make_program()
    make_type(program)
    record_activity(program.pk, purchase(make_member(program, "C-1"), "10"), now=NOON)
    return program


def break_a_balance():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_account SET balance = balance + 7"
            " WHERE member_id IS NOT NULL"
        )


def test_a_ledger_that_adds_up(program):
    check = keep_check(ledger_mismatches(), now=NOON)

    found = last_check()
    assert found == check
    assert (found.mismatch_count, found.mismatches) == (0, [])
    assert found.finished_at is not None


def test_a_sum_that_does_not_is_kept_by_name(program):
    break_a_balance()

    keep_check(ledger_mismatches(), now=NOON)

    found = last_check()
    assert found.mismatch_count >= 1
    assert {"law", "where", "stored", "expected"} == found.mismatches[0].keys()


def test_a_check_whose_worker_died_does_not_stop_the_next(program):
    LedgerCheck.objects.create(started_at=NOON - timedelta(hours=7))

    assert keep_check(ledger_mismatches(), now=NOON) is not None


def test_old_checks_are_forgotten(program):
    LedgerCheck.objects.create(
        started_at=NOON - timedelta(days=91), finished_at=NOON - timedelta(days=91)
    )

    keep_check(ledger_mismatches(), now=NOON)

    assert LedgerCheck.objects.count() == 1


@pytest.mark.parametrize("is_broken", [False, True])
def test_the_home_page_tells_what_was_found(program, client, admin_user, is_broken):
    if is_broken:
        break_a_balance()
    check = keep_check(ledger_mismatches(), now=NOON)
    client.force_login(admin_user)

    home = client.get(reverse("admin:index")).content.decode()
    page = client.get(
        reverse("admin:activities_ledgercheck_change", args=[check.pk])
    ).content.decode()

    assert ("Adds up" in home) is not is_broken
    assert ("mismatch" in home) is is_broken
    assert ("should be" in page) is is_broken
