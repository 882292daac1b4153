"""Filters by day: what the calendar writes, whole days, the program's zone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import DateField
from django.utils.formats import get_format
from django.utils.translation import override

from activities.models import Activity
from activities.services import record_activities
from loyalty.admin.filters import DaysFilter
from tests.admin.forms import page
from tests.builders import make_member, make_program, make_type, purchase

BY_DAY = [
    (model, one[0])
    for model, pages in admin.site._registry.items()
    for one in pages.list_filter
    if isinstance(one, tuple) and one[1] is DaysFilter
]


def ids(case):
    return case if isinstance(case, str) else case._meta.model_name


@pytest.fixture
def zone():
    return "Europe/Amsterdam"


@pytest.fixture
def program(db, zone):
    return make_program(time_zone=zone)


def done_at(program, *moments):
    make_type(program)
    member = make_member(program)
    for moment in moments:
        command = purchase(member, "1", occurred_at=moment)
        record_activities(program.pk, [command], now=moment)


def shown(client, model=Activity, **sent):
    answer = client.get(page(model, "changelist"), sent)
    assert answer.status_code == 200
    told = [str(message) for message in answer.context["messages"]]
    return list(answer.context["cl"].result_list), told


def days(client, first, last=None):
    sent = {
        "occurred_at_from": first,
        "occurred_at_to": first if last is None else last,
    }
    rows, told = shown(client, **sent)
    return sorted(row.occurred_at for row in rows), told


def test_every_filter_of_a_moment_or_a_day_is_of_the_one_kind():
    for model, pages in admin.site._registry.items():
        for one in pages.list_filter:
            path = one[0] if isinstance(one, tuple) else one
            if not isinstance(path, str):
                continue
            field = get_fields_from_path(model, path)[-1]
            if isinstance(field, DateField):
                assert isinstance(one, tuple), (model, path)
                assert one[1] is DaysFilter, (model, path)
    assert len(BY_DAY) > 8


@pytest.mark.parametrize(("model", "path"), BY_DAY, ids=ids)
def test_every_list_reads_what_its_calendar_writes(admin_client, program, model, path):
    with override("en-gb"):
        written = get_format("DATE_INPUT_FORMATS")[0]
    first, last = datetime(2017, 3, 14), datetime(2017, 3, 31)
    sent = {
        f"{path}_from": first.strftime(written),
        f"{path}_to": last.strftime(written),
    }

    answer = admin_client.get(page(model, "changelist"), sent)

    assert not list(answer.context["messages"])
    sql = str(answer.context["cl"].queryset.query)
    # Amsterdam's 14 March begins at 23:00 UTC, its 1 April at 22:00.
    assert (
        ">= 2017-03-13 23:00:00+00:00" in sql or ">= 2017-03-14 00:00:00+01:00" in sql
    )
    assert "< 2017-03-31 22:00:00+00:00" in sql or "< 2017-04-01 00:00:00+02:00" in sql


@pytest.mark.parametrize(("model", "path"), BY_DAY, ids=ids)
@pytest.mark.parametrize("text", ["yesterday", "31/02/2017", "03/14/2017", "1/1/0001"])
def test_no_list_ignores_a_day_that_it_cannot_read(
    admin_client, program, model, path, text
):
    rows, told = shown(admin_client, model, **{f"{path}_to": text})

    assert rows == []
    assert len(told) == 1
    assert "No rows are shown until it is corrected." in told[0]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("14/03/2017", "14/03/2017"),
        ("2017-03-14", "2017-03-14"),
        ("14.3.2017", "14 Mar 2017"),
        (" 14/3/17 ", "14 March 2017"),
    ],
)
def test_a_day_is_its_first_instant_to_its_last_in_the_zone_of_the_program(
    admin_client, program, first, last
):
    inside = [
        datetime(2017, 3, 13, 23, 0, tzinfo=UTC),
        datetime(2017, 3, 14, 22, 59, 59, tzinfo=UTC),
    ]
    outside = [
        datetime(2017, 3, 13, 22, 59, 59, tzinfo=UTC),
        datetime(2017, 3, 14, 23, 0, tzinfo=UTC),
    ]
    done_at(program, *inside, *outside)

    assert days(admin_client, first, last) == (inside, [])


@pytest.mark.parametrize(
    ("zone", "day", "first", "after"),
    [
        # 23 hours, 25 hours, and a midnight that clocks skip.
        ("Europe/Amsterdam", "26/03/2017", (2017, 3, 25, 23), (2017, 3, 26, 22)),
        ("Europe/Amsterdam", "29/10/2017", (2017, 10, 28, 22), (2017, 10, 29, 23)),
        ("America/Sao_Paulo", "15/10/2017", (2017, 10, 15, 3), (2017, 10, 16, 2)),
        # A midnight that comes twice: both hours belong to the day.
        ("America/Havana", "05/11/2017", (2017, 11, 5, 4), (2017, 11, 6, 5)),
    ],
)
def test_days_on_which_clocks_change_are_whole(
    admin_client, program, day, first, after
):
    start = datetime(*first).replace(tzinfo=UTC)
    end = datetime(*after).replace(tzinfo=UTC)
    instant = timedelta(seconds=1)
    done_at(program, start - instant, start, end - instant, end)

    assert days(admin_client, day) == ([start, end - instant], [])


def test_a_range_that_ends_before_it_starts_is_refused(admin_client, program):
    done_at(program, datetime(2017, 3, 14, 12, tzinfo=UTC))

    found, told = days(admin_client, "15/03/2017", "14/03/2017")

    assert found == []
    assert "must not be before the first day" in told[0]


def test_one_side_may_be_left_open_and_empty_boxes_narrow_nothing(
    admin_client, program
):
    early = datetime(2017, 3, 14, 12, tzinfo=UTC)
    late = datetime(2017, 3, 15, 12, tzinfo=UTC)
    done_at(program, early, late)

    assert days(admin_client, "15/03/2017", "") == ([late], [])
    assert days(admin_client, "", "14/03/2017") == ([early], [])
    assert days(admin_client, "", "") == ([early, late], [])
    answer = admin_client.get(
        page(Activity, "changelist"), {"occurred_at_from": "", "occurred_at_to": ""}
    )
    assert not answer.context["cl"].has_active_filters
