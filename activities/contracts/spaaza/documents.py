"""Parameters and answers of the contract for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from activities.contracts.spaaza.asking import IDENTITY_KINDS, USER_ID
from activities.contracts.spaaza.credentials import APP_HOSTNAMES, SESSION_USER_ID
from activities.contracts.spaaza.envelope import VERSION_HEADER

_USER = (
    "The member's number, at most 10 digits. Administrators and privileged clients "
    "name the member in one of three ways."
)
_WHAT: dict[str, tuple[str, dict[str, Any]]] = {
    "campaign_id": ("The number of the campaign.", {"type": "integer"}),
    "chain_id": (
        "The number of the program. Administrators must name it.",
        {"type": "integer"},
    ),
    USER_ID: (_USER, {"type": "integer"}),
    **{
        name: (
            f"An identity of the member, of the kind {' or '.join(kinds)}.",
            {"type": "string", "maxLength": 255},
        )
        for name, kinds in IDENTITY_KINDS.items()
    },
}


def _header(name: str, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=description, **options
    )


PARAMETERS = [
    *(
        OpenApiParameter(name, schema, description=description)
        for name, (description, schema) in _WHAT.items()
    ),
    _header(
        APP_HOSTNAMES[0],
        "The host name of the app; users must send it. "
        f"{APP_HOSTNAMES[1]} is read, too.",
    ),
    _header(SESSION_USER_ID, "Whose session it is, beside its key."),
    _header(
        VERSION_HEADER,
        "Below 1.4.0, errors are a map by code; otherwise there is one.",
    ),
    _header(
        "Idempotency-Key",
        "Repeating a call with the same key acts once; the answer is the first one.",
    ),
]
BODY = {
    "type": "object",
    "description": "The same parameters; each in one place only.",
    "properties": {
        name: {**schema, "description": description}
        for name, (description, schema) in _WHAT.items()
    },
}
_NULLABLE_TEXT = {"type": ["string", "null"]}
_REWARD = {
    "type": "object",
    "required": ["reward_method_id", "type"],
    "properties": {
        "reward_method_id": {"type": "integer"},
        "type": {
            "type": "string",
            "enum": [
                "points",
                "voucher_basket",
                "voucher_percentage",
                "voucher_perk",
                "voucher_per_unit",
            ],
        },
        "title": _NULLABLE_TEXT,
        "description": _NULLABLE_TEXT,
        "image_url": _NULLABLE_TEXT,
        "voucher": {
            "type": ["object", "null"],
            "properties": {
                "voucher_key": {"type": "string"},
                "voucher_id": {"type": "integer"},
                "voucher_type": {"type": "string"},
                "voucher_status": {"type": "string"},
                "voucher_amount": {"type": ["number", "null"]},
                "voucher_discount_ratio": {"type": ["number", "null"]},
                "voucher_expiry_datetime_utc": _NULLABLE_TEXT,
            },
        },
        "wallet": {
            "type": ["object", "null"],
            "properties": {
                "campaign_id": {"type": "integer"},
                "code": {"type": "string"},
                "amount": {"type": "number"},
            },
        },
    },
}
_SUCCESS = {
    "type": "object",
    "required": ["result", "results"],
    "properties": {
        "result": {
            "type": "object",
            "properties": {
                "code": {"type": "integer", "enum": [1]},
                "status": {"type": "string", "enum": ["ok"]},
            },
        },
        "results": {
            "type": "object",
            "required": ["success", "result_type"],
            "properties": {
                "success": {"type": "boolean"},
                "result_type": {"type": "string", "enum": ["interact-campaign"]},
                "reward": _REWARD,
                "rewards": {"type": "array", "items": _REWARD},
            },
        },
        "warnings": {
            "type": "array",
            "description": "Absent if there are none.",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "integer"},
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                    "message": {"type": "object"},
                },
            },
        },
    },
}
ANSWER = {200: _SUCCESS}
