"""People write and read the last day that counts; the stored end stays exclusive."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign, CampaignGroup
from loyalty.admin.moments import LastDayField, MomentField
from loyalty.models import ActivityType, SegmentMembership, VoucherType
from tests.admin.forms import complaints, page, save, shown
from tests.builders import (
    make_campaign,
    make_member,
    make_program,
    make_segment,
    make_type,
)

INSTANTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut"])


class Period(forms.Form):
    """A start and an end as the pages ask for them."""

    start = MomentField()
    end = LastDayField()


@pytest.fixture
def program(db):
    program = make_program(time_zone="Europe/Berlin")
    make_type(program)
    return program


@pytest.mark.parametrize(
    ("day", "minute", "stored"),
    [
        pytest.param("31/5/2026", "", "2026-05-31T22:00:00+00:00", id="a day"),
        pytest.param("31.5.2026", "", "2026-05-31T22:00:00+00:00", id="with points"),
        pytest.param("2026-05-31", "", "2026-05-31T22:00:00+00:00", id="as ISO 8601"),
        pytest.param(
            "31/5/2026", "23:59", "2026-05-31T22:00:00+00:00", id="its last minute"
        ),
        pytest.param(
            "31/5/2026", "18:00", "2026-05-31T16:01:00+00:00", id="a minute counts"
        ),
    ],
)
def test_an_end_is_the_instant_after_the_last_day_or_minute(
    marketing, program, day, minute, stored
):
    campaign = make_campaign(program)

    answer = save(
        marketing,
        page(Campaign, "change", campaign.pk),
        ends_at_0=day,
        ends_at_1=minute,
    )

    assert answer.status_code == 302, complaints(answer)
    campaign.refresh_from_db()
    assert campaign.ends_at.astimezone(UTC).isoformat() == stored


@pytest.mark.parametrize(
    ("day", "minute", "complaint"),
    [
        pytest.param("31 of May", "", "as day/month/year", id="no date"),
        pytest.param("31/5/2026", "6 pm", "from 00:00 to 23:59", id="no time"),
        pytest.param("29/3/2026", "02:30", "put forward", id="a skipped time"),
        pytest.param("", "18:00", "as day/month/year", id="a time alone"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_format(
    marketing, program, day, minute, complaint
):
    campaign = make_campaign(program)

    answer = save(
        marketing,
        page(Campaign, "change", campaign.pk),
        ends_at_0=day,
        ends_at_1=minute,
    )

    assert any(complaint in one for one in complaints(answer)), complaints(answer)


@given(start=INSTANTS, end=INSTANTS, zone=ZONES)
def test_an_untouched_save_keeps_both_instants_to_the_microsecond(start, end, zone):
    with timezone.override(ZoneInfo(zone)):
        page = Period(initial={"start": start, "end": end})
        sent = {
            part["name"]: part["value"] or ""
            for field in page
            for part in field.subwidgets[0].data["subwidgets"]
        }

        saved = Period(sent, initial={"start": start, "end": end})

        assert saved.is_valid(), saved.errors
        assert saved.cleaned_data == {"start": start, "end": end}
        assert not saved.has_changed()


def test_an_untouched_save_of_a_page_keeps_what_no_field_can_show(marketing, program):
    before = (
        datetime(2026, 5, 1, 8, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 5, 31, 21, 59, 59, 999999, tzinfo=UTC),
    )
    group = CampaignGroup.objects.create(
        program=program, name="Any", starts_at=before[0], ends_at=before[1]
    )

    answer = save(
        marketing, page(CampaignGroup, "change", group.pk), description="Changed"
    )

    assert answer.status_code == 302, complaints(answer)
    group.refresh_from_db()
    assert (group.starts_at, group.ends_at) == before
    assert group.description == "Changed"


@pytest.mark.parametrize("hour", [0, 1])
def test_a_time_that_comes_twice_is_kept_as_the_one_it_is(marketing, program, hour):
    moment = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)  # 02:30 in Berlin, twice
    group = CampaignGroup.objects.create(
        program=program, name="Night", starts_at=moment
    )

    answer = save(marketing, page(CampaignGroup, "change", group.pk), name="Nights")

    assert answer.status_code == 302, complaints(answer)
    group.refresh_from_db()
    assert group.starts_at == moment


def _campaign(program, end):
    return make_campaign(program, ends_at=end)


def _type(program, end):
    return make_type(program, code="VISIT", ends_at=end)


def _group(program, end):
    return CampaignGroup.objects.create(program=program, name="May", ends_at=end)


def _voucher(program, end):
    return VoucherType.objects.create(
        program=program, code="tea", name="Tea", kind="perk", expires_at=end
    )


def _stay(program, end):
    return SegmentMembership.objects.create(
        segment=make_segment(program), member=make_member(program), left_at=end
    )


WITH_AN_END = pytest.mark.parametrize(
    ("model", "make", "field"),
    [
        pytest.param(Campaign, _campaign, "ends_at", id="campaign"),
        pytest.param(ActivityType, _type, "ends_at", id="activity type"),
        pytest.param(CampaignGroup, _group, "ends_at", id="group"),
        pytest.param(VoucherType, _voucher, "expires_at", id="voucher type"),
        pytest.param(SegmentMembership, _stay, "left_at", id="segment"),
    ],
)


@WITH_AN_END
def test_every_form_asks_for_the_last_day(marketing, program, model, make, field):
    row = make(program, datetime(2026, 5, 31, 22, tzinfo=UTC))

    sent = shown(marketing, page(model, "change", row.pk))

    assert sent[f"{field}_0"] == "2026-05-31"
    assert sent[f"{field}_1"] == ""


@WITH_AN_END
def test_people_who_only_look_read_the_last_day(
    client, analyst, program, model, make, field
):
    row = make(program, datetime(2026, 5, 31, 22, tzinfo=UTC))
    client.force_login(analyst)

    text = client.get(page(model, "change", row.pk)).content.decode()

    assert "31 May 2026" in text
    assert "1 Jun 2026" not in text


def test_the_list_of_groups_shows_the_last_day(marketing, program):
    _group(program, datetime(2026, 5, 31, 22, tzinfo=UTC))

    text = marketing.get(page(CampaignGroup, "changelist")).content.decode()

    assert "31 May 2026" in text
    assert "1 Jun 2026" not in text
