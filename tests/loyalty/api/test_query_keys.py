"""Keys in addresses: found by authentication, and by nothing else."""

import logging

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from loyalty.api.query_keys import QueryKeys, key_in, parted

SECRET = "AbCd1234.s3cretS3cretS3cret"


@pytest.mark.parametrize(
    ("query", "cleaned", "key"),
    [
        pytest.param(f"api_key={SECRET}", "api_key=", SECRET, id="alone"),
        pytest.param(
            f"page=2&api_key={SECRET}&a=b", "page=2&api_key=&a=b", SECRET, id="amid"
        ),
        pytest.param(f"api%5Fkey={SECRET}", "api_key=", SECRET, id="name escaped"),
        pytest.param("api_key=a%2Bb", "api_key=", "a+b", id="value escaped"),
        pytest.param(
            f"api_key={SECRET}&api_key=", "api_key=&api_key=", SECRET, id="then empty"
        ),
        pytest.param(
            f"api_key=&api_key={SECRET}", "api_key=&api_key=", SECRET, id="added"
        ),
        pytest.param("api_key", "api_key=", "", id="no value"),
        pytest.param("api_key=", "api_key=", "", id="empty"),
    ],
)
def test_a_key_is_taken_out_of_the_query(query, cleaned, key):
    assert parted(query) == (cleaned, {"api_key": key})


def test_a_query_without_a_key_stays_as_it_is():
    assert parted("page=%31&&x") == ("page=%31&&x", {})


def test_the_key_is_kept_for_authentication_alone():
    request = RequestFactory().get(f"/v2.1/activities/extended?api_key={SECRET}")

    QueryKeys(lambda _: HttpResponse())(request)

    assert key_in(request, "api_key") == SECRET
    assert SECRET not in request.get_full_path()
    assert SECRET not in request.build_absolute_uri()
    assert request.GET["api_key"] == ""
    assert SECRET not in repr(request.META)


def test_a_report_of_an_error_does_not_hold_the_key():
    request = RequestFactory().get(f"/v2.1/activities/extended?api_key={SECRET}")

    def fail(request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        QueryKeys(fail)(request)
    report = ExceptionReporter(request, raised.type, raised.value, raised.tb)

    assert SECRET not in report.get_traceback_text()
    assert "ZeroDivisionError" in report.get_traceback_text()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/v2.1/activities/extended",
        "/v2.1/activities/nothing",
        "/v9/nothing",
        "/admin/nothing",
        "/api/v1/nothing",
    ],
)
def test_no_log_holds_a_key_wherever_the_address_leads(path, caplog):
    with caplog.at_level(logging.DEBUG):
        Client(raise_request_exception=False).get(f"{path}?api_key={SECRET}")

    assert SECRET not in caplog.text
    assert all(SECRET not in repr(record.__dict__) for record in caplog.records)
