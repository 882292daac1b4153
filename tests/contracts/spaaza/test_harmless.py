"""T-20: what only looks, or comes in advance, never acts; nothing is kept."""

import pytest

from activities.models import Interaction
from loyalty.models import Entry
from tests.contracts.spaaza.client import PATH, Call, done, refused

pytestmark = pytest.mark.django_db


def nothing_happened():
    return not Interaction.objects.exists() and not Entry.objects.exists()


def test_t_20_head_is_answered_with_headers_and_never_acts(call):
    response = call.send("head")

    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert nothing_happened()


def test_head_tells_what_would_be_refused_before_the_act(call):
    assert call.changed(campaign_id="x").send("head").status_code == 400
    assert Call().send("head").status_code == 401


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "prefetch, anonymous-client-ip"),
        ("Sec-Purpose", "PREFETCH"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_t_20_a_prefetch_is_refused(call, header, value, method):
    refused(call.with_headers({header: value}).send(method), 424)

    assert nothing_happened()


def test_another_purpose_is_no_prefetch(call):
    done(call.with_headers({"Purpose": "navigate"}).send())


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_405_in_the_envelope(call, method):
    for one in (call, Call()):
        response = one.send(method)

        assert response.status_code == 405
        assert response["Allow"] == "GET, HEAD, POST"
        assert response.json()["error"]["name"] == "method_not_allowed"
    assert nothing_happened()


def test_t_20_no_answer_may_be_kept(call, program):
    answers = [
        call.send(),
        call.send("post"),
        call.send("head"),
        call.send("put"),
        call.changed(campaign_id="x").send(),
        Call().send(),
    ]

    assert {one["Cache-Control"] for one in answers} == {"no-store"}


def test_t_20_without_a_key_every_call_counts(call):
    done(call.send())
    done(call.send())

    assert Interaction.objects.count() == 2


@pytest.mark.parametrize("path", [f"{PATH}/", f"{PATH}/1", f"{PATH}/a/b"])
def test_other_paths_are_404_in_the_envelope(client, db, path):
    response = client.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["name"] == "not_found"
