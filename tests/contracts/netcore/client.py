"""A Netcore client for tests."""

import orjson
from django.test import Client

from tests.callers import make_key

JSON = "application/json"
PATH = "/v1/activity/upload"


class NetcoreClient:
    """Uploads activities with a bearer key."""

    def __init__(self, program, **fields):
        self.row, self.key = make_key(program, **fields)
        self.http = Client(raise_request_exception=False)

    def upload(self, body, method="POST", where=PATH, **headers):
        """``body`` may be bytes, or a value to write as JSON."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        sent: dict[str, str | None] = {"Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content_type = sent.pop("Content-Type", None) or JSON
        told = {name: text for name, text in sent.items() if text is not None}
        return self.http.generic(method, where, raw, content_type, headers=told)


def accepted(response):
    """Demand the vendor's success, to the letter."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == JSON
    assert response.content == b'{"status":"success"}'
    return response


def failed(response, status, words):
    """Demand an error of the whole request in the vendor's envelope."""
    assert response["Content-Type"] == JSON, response.content
    body = response.json()
    assert (response.status_code, body["status"]) == (status, "error")
    assert body["error"] == words
    return response


def faults_of(response, status=400):
    """Return (index, field, code) of every fault of an answer."""
    assert response["Content-Type"] == JSON, response.content
    assert response.status_code == status, response.content
    return [
        (fault["index"], fault["field"], fault["code"])
        for fault in response.json()["errors"]
    ]
