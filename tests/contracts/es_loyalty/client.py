"""An ES Loyalty client for tests."""

from urllib.parse import quote

import orjson
from django.test import Client

from tests.callers import make_key

JSON = "application/json"


class EsClient:
    """Speaks the vendor's calls with a bearer key."""

    def __init__(self, program, **fields):
        self.row, self.key = make_key(program, **fields)
        self.http = Client(raise_request_exception=False)

    def call(self, where, body, method="POST", **headers):
        """``body`` may be bytes, or a value to write as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {"Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content_type = sent.pop("Content-Type", JSON)
        return self.http.generic(
            method, f"/client/users/{where}", raw, content_type, headers=sent
        )

    def open(self, identifier, body, kind=None, **headers):
        if kind is not None:
            headers["X-Identifier-Type"] = kind
        return self.call(f"{quote(identifier)}/sessions", body, **headers)

    def send(self, body, activity_id=None, session="s-1", **headers):
        end = "" if activity_id is None else f"/{activity_id}"
        return self.call(f"{session}/activities{end}", body, **headers)


def refused(response, words, status=400, code="INVALID_REQUEST"):
    """Demand the vendor's envelope with these words, and nothing else."""
    assert response["Content-Type"] == JSON, response.content
    assert response.json() == {
        "statusCode": status,
        "errorMessage": words,
        "errorCode": code,
    }
    assert response.status_code == status
    return response
