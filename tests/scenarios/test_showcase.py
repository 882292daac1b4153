"""The demo shows what the product can do, beside a year that stays exact."""

from datetime import timedelta

import pytest
from django.utils import timezone

from activities.models import Activity, Interaction
from activities.reports import ledger_mismatches
from activities.services.demo import add_showcase, build_configuration
from campaigns.models import Campaign
from loyalty.models import (
    BusinessUnit,
    Entry,
    Lot,
    MemberTier,
    SegmentMembership,
    Tier,
    Voucher,
)

pytestmark = pytest.mark.django_db


def test_recent_weeks_show_every_feature_and_leave_the_year_alone():
    program = build_configuration()
    now = timezone.now()

    count = add_showcase(program, now=now)

    assert Activity.objects.count() == count
    long_ago = now - timedelta(days=61)
    assert not Activity.objects.filter(occurred_at__lt=long_ago).exists()
    awards = Entry.objects.filter(kind="award")
    assert not awards.filter(occurred_at__lt=now - timedelta(days=61)).exists()
    paid = set(awards.values_list("offer__name", flat=True))
    assert {"Purchase", "Review", "Three reviews", "Double points in the app"} <= paid
    double = Campaign.objects.get(name="Double points in the app")
    assert double.holdout_percent == 20
    assert double.starts_at is not None
    assert double.ends_at is not None
    assert double.starts_at < now < double.ends_at
    assert BusinessUnit.objects.count() == 3
    assert list(Tier.objects.order_by("threshold").values_list("name", flat=True)) == [
        "Silver",
        "Gold",
    ]
    soon = Lot.objects.filter(
        account__wallet__code="stars",
        remaining__gt=0,
        expires_at__range=(now, now + timedelta(days=30)),
    )
    assert soon.exists()
    assert Interaction.objects.exists()
    assert Voucher.objects.filter(status="redeemed").exists()
    assert SegmentMembership.objects.filter(segment__code="regulars").exists()
    assert not MemberTier.objects.filter(tier__program__isnull=True).exists()
    assert list(ledger_mismatches()) == []
    assert add_showcase(program, now=now) == 0
