"""Addresses with an ID that no row can have: an answer, never an error."""

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.builders import make_program

GARBAGE = ["x", "0", "-1", "1.5", "1e3", "²", "٣", "1_0", "_00", " 1", "a'b", "9" * 40]


def addresses(object_id):
    """Every address of the admin below an object's ID."""
    for model, pages in admin.site._registry.items():
        meta = model._meta
        for pattern in pages.urls:
            if pattern.name and "object_id" in pattern.pattern.converters:
                yield reverse(f"admin:{pattern.name}", args=[object_id])
        assert meta.app_label


@pytest.mark.parametrize("object_id", GARBAGE, ids=ascii)
def test_no_address_with_garbage_for_an_id_is_an_error(
    db, admin_client, object_id, settings
):
    make_program()
    count = 0

    for address in addresses(object_id):
        assert admin_client.get(address).status_code in (302, 403, 404, 405), address
        count += 1

    assert count > 100


def test_a_page_that_is_not_there_says_so(db, admin_client):
    make_program()

    answer = admin_client.get("/admin/campaigns/campaign/x/change/", follow=True)

    told = [str(message) for message in answer.context["messages"]]
    assert len(told) == 1
    assert told[0].startswith("campaign with ID “x” doesn")


def test_who_is_not_signed_in_learns_nothing(db, client):
    for path in ("campaigns/campaign/x/change/", "loyalty/member/1/change/"):
        answer = client.get(f"/admin/{path}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
