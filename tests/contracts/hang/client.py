"""A Hang client for tests."""

import orjson
from django.test import Client

from loyalty.models import Member
from tests.callers import make_key

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PATHS = ("activities", "activities/synchronous", "activies/synchronous")


class HangClient:
    """Speaks the vendor's calls with a key in ``X-API-Key``."""

    member: Member

    def __init__(self, program, **fields):
        self.row, self.key = make_key(program, **fields)
        self.http = Client(raise_request_exception=False)

    def call(self, method, where, body=b"", **headers):
        """``body`` may be bytes, or a value to write as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {"X-API-Key": self.key}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content_type = sent.pop("Content-Type", JSON)
        path = f"/partner-api/v2/{where}"
        return self.http.generic(method, path, raw, content_type, headers=sent)

    def record(self, member, body, path="activities", **headers):
        where = f"program-memberships/{getattr(member, 'pk', member)}/{path}"
        return self.call("POST", where, body, **headers)

    def post(self, where, body=b"", **headers):
        return self.call("POST", f"program-memberships{where}", body, **headers)

    def patch(self, member, body):
        return self.call("PATCH", f"program-memberships/{member.pk}", body)

    def search(self, body):
        return self.call("GET", "program-memberships/search", body)

    def opt_in(self, member, quest):
        where = getattr(quest, "pk", quest)
        return self.post(f"/{getattr(member, 'pk', member)}/quests/{where}/opt-in")

    def opt_ins(self, member):
        where = f"program-memberships/{getattr(member, 'pk', member)}/quests/opt-ins"
        return self.call("GET", where)


def refused(response, status, words):
    """Demand the vendor's envelope with these words, and nothing else."""
    assert response["Content-Type"] == JSON, response.content
    assert response.json() == {"message": words}
    assert response.status_code == status, response.content
    return response


def recorded(response, key="unique-key-101"):
    """Demand the closed answer of a recorded activity."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == JSON
    assert response.json() == {"idempotency_key": key}
    return response
