"""Every refusal of the use case has words here, and a status in the native API."""

import pytest

from activities.api import routes  # noqa: F401 (fills the table of statuses)
from activities.contracts.spaaza.codes import CODES, named
from activities.contracts.spaaza.views import InteractCampaign
from activities.services import ProgramDisabled, interactions
from loyalty.api.contract import refusal_of
from loyalty.api.problems import STATUS_OF_REFUSAL, Problem
from loyalty.errors import LoyaltyError
from tests.contracts.spaaza.client import as_admin, as_client, as_member, refused

REFUSALS = [
    found
    for name in interactions.__all__
    if issubclass(found := getattr(interactions, name), LoyaltyError)
] + [ProgramDisabled]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.code)
def test_every_refusal_of_the_use_case_is_one_of_the_vendor_s(refusal):
    row = refusal_of(InteractCampaign.refusals, refusal("No."))

    assert (row.status, row.words) == CODES[row.code][1:]
    assert refusal.code in STATUS_OF_REFUSAL


@pytest.mark.parametrize("refusal", InteractCampaign.refusals, ids=lambda one: one.code)
@pytest.mark.django_db
def test_what_the_use_case_refuses_is_told_in_the_envelope(
    member, campaign, monkeypatch, refusal
):
    """Those too that only a race can bring about."""

    def refuse(*args, **kwargs):
        raise refusal("No.", reason="disabled")

    monkeypatch.setattr("activities.contracts.spaaza.views.interact", refuse)
    expected = CODES[InteractCampaign.refusals[refusal].code].number

    for one in (as_member, as_admin, as_client):
        refused(one(member, campaign).send(), expected)


@pytest.mark.parametrize(
    ("status", "name", "number"),
    [
        (400, "parameter_invalid", 419),
        (422, "parameter_invalid", 419),
        (404, "not_found", 10_404),
        (405, "method_not_allowed", 10_405),
        (411, "length_required", 10_411),
        (413, "body_too_large", 10_413),
        (415, "unsupported_media_type", 10_415),
        (429, "too_many_requests", 10_429),
        (500, "internal_error", 10_500),
    ],
)
def test_what_is_outside_the_table_has_a_number_of_ours(status, name, number):
    found, code = named(Problem(status, "whatever", "So it is."))

    assert (found, code.number, code.sentence) == (name, number, "So it is.")
    assert code.status == (400 if status == 422 else status)


@pytest.mark.django_db
def test_a_body_of_another_type_is_415_in_the_envelope(member, campaign):
    call = as_client(member, campaign)

    response = call.send("post", data=b"<a/>", content_type="application/xml")

    assert response.status_code == 415
    assert response.json()["error"]["code"] == 10_415


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_413_in_the_envelope(member, campaign, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    call = as_client(member, campaign)

    response = call.send("post", data=b"x" * 101, content_type="application/json")

    assert response.status_code == 413
    assert response.json()["error"]["code"] == 10_413
