"""Workers that fill a list of voucher codes, killed at random moments."""

import random
import time

import pytest

from loyalty.models import Voucher, VoucherStock
from loyalty.services import vouchers
from tests.builders import NOON, make_program, make_voucher_type
from tests.faults.processes import Worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COUNT = 80_000


def test_killed_workers_add_exactly_what_was_asked():
    voucher_type = make_voucher_type(make_program(), codes="listed")
    job = vouchers.ask_for_codes(voucher_type, COUNT, user=None, now=NOON)
    generator = random.Random(5)
    first, second, last = (Worker("codes", job) for _ in range(3))

    for worker in (first, second):
        worker.begin()
        time.sleep(generator.uniform(0.2, 0.8))
        worker.kill()
    job.refresh_from_db()
    assert job.status == "running"
    last.begin().peak_megabytes()

    job.refresh_from_db()
    assert (job.status, job.added_count) == ("finished", COUNT)
    assert Voucher.objects.count() == COUNT
    assert VoucherStock.objects.get().codes_left == COUNT
