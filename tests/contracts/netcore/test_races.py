"""Many uploads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from activities.models import Activity, ProfileMerge
from activities.reports import ledger_mismatches
from loyalty.models import (
    Account,
    ActivityType,
    AnonymousProfile,
    Channel,
    Entry,
    Member,
)
from tests.builders import make_program, make_type
from tests.contracts.netcore.client import NetcoreClient, accepted

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 20


@pytest.fixture
def program(transactional_db):
    program = make_program(retro_points="all")
    make_type(program, "Purchase", reward_method="fixed", points=5)
    return program


@pytest.fixture
def all_upload(program):
    """Lets 20 clients upload at once; ``body(place)`` says what."""
    netcore = NetcoreClient(program)
    barrier = Barrier(CLIENTS)

    def run(call):
        place, body = call
        barrier.wait()
        try:
            return _upload(netcore, body(place))
        finally:
            connection.close()

    def upload(body):
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(run, ((place, body) for place in range(CLIENTS))))

    return upload


def _upload(netcore, body):
    own = NetcoreClient.__new__(NetcoreClient)
    own.key, own.http = netcore.key, Client(raise_request_exception=False)
    return own.upload(body)


def test_20_identical_uploads_pay_once_and_are_all_accepted(all_upload, item):
    for answer in all_upload(lambda _: [item(), item(asset_id="b")]):
        accepted(answer)

    assert Activity.objects.count() == 2
    assert Entry.objects.count() == 2
    assert Account.objects.get(kind="member").balance == 10
    assert Member.objects.count() == 1


def test_20_identical_anonymous_uploads_are_one(all_upload, item):
    for answer in all_upload(lambda _: item(identity=..., annonid="cookie-1")):
        accepted(answer)

    assert Activity.objects.count() == 1
    assert AnonymousProfile.objects.count() == 1


def test_a_new_name_is_found_out_once_whatever_its_case(all_upload, item):
    names = ["Add To Cart", "add to cart", "ADD TO CART", "Add to cart"]

    answers = all_upload(
        lambda place: item(activity_name=names[place % 4], asset_id=f"a-{place}")
    )

    for answer in answers:
        accepted(answer)
    assert ActivityType.objects.filter(needs_review=True).count() == 1
    assert Channel.objects.count() == 1
    assert Activity.objects.count() == CLIENTS


def test_who_becomes_known_in_20_uploads_is_merged_once(all_upload, item, program):
    def body(place):
        known = {} if place % 4 else {"identity": f"C-{place}"}
        return item(
            **{"identity": ..., "annonid": "cookie-1", **known}, asset_id=f"a-{place}"
        )

    for answer in all_upload(body):
        accepted(answer)

    assert ProfileMerge.objects.count() == 1
    assert not Activity.objects.filter(member=None).exists()
    accounts = Account.objects.filter(kind="member")
    assert sum(one.balance for one in accounts) == 5 * CLIENTS
    assert not list(ledger_mismatches())
