"""Calling the Spaaza contract as a member, as staff, and as a trusted client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth.models import Permission, User
from django.test import Client

from activities.contracts.spaaza.codes import CODES
from activities.models import MemberApp
from activities.services.logins import log_in_member, log_in_staff
from tests.builders import NOON, make_campaign
from tests.callers import make_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loyalty.models import Member, Program

PATH = "/interact-campaign"
APP = "X-Spaaza-MyPrice-App-Hostname"
OLD_APP = "X-MyPrice-App-Hostname"
HOSTNAME = "app.example.com"
USER_ID = "X-Spaaza-Session-User-Id"
USERNAME = "X-Spaaza-Session-Username"
KEY = "X-Spaaza-Session-Key"
JWT = "X-Spaaza-Access-Token-JWT"
VERSION = "X-Spaaza-API-Version"
# A number that no row has.
NOBODY = 999_999_999


@dataclass
class Call:
    """A call that can be changed before it is made."""

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)

    def send(self, method: str = "get", **more: Any) -> Any:
        """Send it; values of the query may be lists, for several."""
        query = urlencode(self.query, doseq=True)
        http = Client(raise_request_exception=False)
        return http.generic(
            method.upper(), f"{PATH}?{query}", headers=self.headers, **more
        )

    def changed(self, *, without: tuple[str, ...] = (), **query: Any) -> Call:
        """Return the call with other parameters."""
        merged = {**self.query, **query}
        kept = {name: one for name, one in merged.items() if name not in without}
        return Call(dict(self.headers), kept)

    def with_headers(self, headers: Mapping[str, str | None]) -> Call:
        """Return the call with other headers; None takes one away."""
        merged = {**self.headers, **headers}
        kept = {name: one for name, one in merged.items() if one is not None}
        return Call(kept, dict(self.query))


def as_member(member: Member, campaign: Any, hostname: str = HOSTNAME) -> Call:
    """Return a call of a member who is logged in to an app of the program."""
    MemberApp.objects.get_or_create(hostname=hostname, program=member.program)
    opened = log_in_member(member, hours=1, opened_by="test", now=NOON)
    headers = {USER_ID: str(member.pk), KEY: opened.key, APP: hostname}
    return Call(headers, {"campaign_id": campaign.pk})


def as_token(member: Member, campaign: Any) -> Call:
    """Return the same with the session's key as an access token."""
    call = as_member(member, campaign)
    call.headers[JWT] = call.headers.pop(KEY)
    del call.headers[USER_ID]
    return call


def as_admin(member: Member, campaign: Any, user: User | None = None) -> Call:
    """Return a call of one of the staff for a member."""
    user = user or make_staff()
    opened = log_in_staff(user, opened_by="test", now=NOON)
    return Call(
        {USER_ID: str(user.pk), KEY: opened.key},
        {
            "campaign_id": campaign.pk,
            "chain_id": member.program_id,
            "user_id": member.pk,
        },
    )


def as_client(member: Member, campaign: Any, **key: Any) -> Call:
    """Return a call of a client with an API key for a member."""
    text = make_key(member.program, **key)[1]
    return Call(
        {"Authorization": f"Bearer {text}"},
        {"campaign_id": campaign.pk, "user_id": member.pk},
    )


CALLERS = {
    "user": as_member,
    "token": as_token,
    "admin": as_admin,
    "privileged": as_client,
}


def make_staff(name: str = "ann", *permissions: str, **fields: Any) -> User:
    """Return one of the staff; with the permission to interact if none is named."""
    user = User.objects.create_user(
        name, password="secret words", **{"is_staff": True, **fields}
    )
    names = permissions or ("interact",)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def scratch_card(program: Program, **fields: Any) -> Any:
    """Return a campaign with which members interact: it gives 10 points."""
    return make_campaign(program, **{"context": "interaction", **fields})


PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """Return the payload of a file."""
    return json.loads((PAYLOADS / f"{name}.json").read_bytes())


def done(response: Any) -> dict[str, Any]:
    """Return ``results`` of a success without remarks."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["result"] == {"code": 1, "status": "ok"}
    assert set(body) == {"result", "results"}, body
    results: dict[str, Any] = body["results"]
    assert results["result_type"] == "interact-campaign"
    assert results["success"] is True
    return results


def refused(response: Any, code: int) -> str:
    """Return the description, after checking envelope, number, name and status."""
    body = response.json()
    assert set(body) == {"result", "error"}, body
    assert body["result"] == {"code": 2, "status": "error"}
    assert set(body["error"]) == {"code", "name", "description"}
    assert body["error"]["code"] == code, body
    expected = CODES[body["error"]["name"]]
    assert expected.number == code
    assert response.status_code == expected.status
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    description: str = body["error"]["description"]
    assert description
    return description
