"""The demo programme: a year of real purchases comes out to the point."""

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from activities.models import Activity, Upload, UploadStatus
from activities.reports import ledger_mismatches
from activities.services.demo import add_showcase
from campaigns.models import Campaign
from loyalty.models import Account, Entry, Identity, Program

pytestmark = pytest.mark.django_db


def totals(**where) -> dict[str, int]:
    """Return the points awarded, by bucket."""
    entries = Entry.objects.filter(kind="award", **where)
    rows = entries.values("bucket").annotate(points=Sum("amount"))
    return {row["bucket"]: row["points"] for row in rows}


def totals_by_offer() -> dict[str, int]:
    rows = Entry.objects.values("offer__name").annotate(points=Sum("amount"))
    return {row["offer__name"]: row["points"] for row in rows}


def of_household(value: str) -> tuple[int, dict[str, int]]:
    member = Identity.objects.get(kind="customer_id", value=value).member
    points = totals(credit_account__member=member)
    account = Account.objects.get(member=member)
    assert account.balance == sum(points.values())
    return Activity.objects.filter(member=member).count(), points


def test_the_first_month_comes_out_to_the_point_and_again_changes_nothing():
    call_command("load_demo", "--first-month")

    upload = Upload.objects.get()
    assert upload.status == UploadStatus.FINISHED
    assert (upload.line_count, upload.activity_count) == (124_051, 12_721)
    assert (upload.refused_count, upload.duplicate_count) == (0, 0)
    month = {"base": 364_742, "bonus": 201_632, "targeted": 1_636}
    assert totals() == month
    assert list(ledger_mismatches()) == []
    # It is built of ordinary rows.
    program = Program.objects.get()
    assert (program.time_zone, program.first_weekday) == ("America/Phoenix", 1)
    assert Campaign.objects.exclude(context="interaction").count() == 2 + 27
    assert Identity.objects.count() == 2_469

    before = (Entry.objects.count(), program.configuration_revision)
    call_command("load_demo", "--first-month")

    after = (Entry.objects.count(), Program.objects.get().configuration_revision)
    assert before == after
    assert Upload.objects.count() == 1

    # Invented recent weeks leave the figures of the year alone.
    assert add_showcase(program, now=timezone.now()) > 0
    assert totals(occurred_at__year__lt=2019) == month
    assert list(ledger_mismatches()) == []


@pytest.mark.slow
def test_the_whole_year_comes_out_to_the_point():
    call_command("load_demo")

    assert totals() == {
        "base": 4_519_934,
        "bonus": 1_268_240 + 1_244_770,
        "targeted": 1_191_977,
    }
    by_offer = totals_by_offer()
    assert by_offer["First visit of the day"] == 1_268_240
    assert by_offer["Own brand"] == 1_244_770
    assert Entry.objects.filter(offer__name="First visit of the day").count() == 126_824
    assert Activity.objects.count() == 155_848
    assert Activity.objects.filter(value__lte=0).count() == 478
    rewarded = Entry.objects.filter(bucket="targeted").values("activity_id").distinct()
    assert rewarded.count() == 33_945
    household = {"base": 2_386, "bonus": 679, "targeted": 888}
    assert of_household("1") == (51, household)
    assert of_household("4") == (18, {"base": 433, "bonus": 235, "targeted": 31})
    assert list(ledger_mismatches()) == []
