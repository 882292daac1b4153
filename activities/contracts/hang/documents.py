"""What the OpenAPI document says of program memberships."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

_TEXT = {"type": ["string", "null"], "maxLength": 255}
_DAY = {"type": ["string", "null"], "format": "date", "example": "1989-02-25"}
_SECONDS = {"type": ["integer", "null"], "description": "Seconds since 1970."}


def _forms(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "application/json": schema,
        "application/x-www-form-urlencoded": schema,
        "multipart/form-data": schema,
    }


DETAILS_BODY = _forms(
    {
        "type": "object",
        "properties": {
            "external_user_id": {**_TEXT, "description": "The client's own name."},
            "phone": {
                "type": ["string", "null"],
                "maxLength": 40,
                "description": "Kept as E.164; without a country it is of the US.",
                "example": "+17891234567",
            },
            "email": _TEXT,
            "first_name": _TEXT,
            "last_name": _TEXT,
            "birthday": _DAY,
            "family_member_birthdays": {
                "type": "array",
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "required": ["first_name", "birthday", "status"],
                    "properties": {
                        "first_name": {"type": "string"},
                        "last_name": _TEXT,
                        "birthday": {"type": "string", "format": "date"},
                        "status": {"enum": ["active", "inactive"]},
                    },
                },
            },
        },
    }
)
_MEMBERSHIP = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "external_user_id", "created_at"],
    "properties": {
        "id": {"type": "string"},
        "external_user_id": {"type": ["string", "null"]},
        "created_at": {"type": "integer"},
        "magic_link": {"type": "null", "description": "There are none here."},
        "social_media_credentials": {
            "type": "object",
            "additionalProperties": {"type": ["string", "null"]},
        },
        "family_member_birthdays": {"type": "array", "items": {"type": "object"}},
    },
}
MEMBERSHIP_ANSWER = {
    "type": "object",
    "required": ["membership"],
    "properties": {"membership": _MEMBERSHIP},
}
SEARCH_PARAMETERS = [
    OpenApiParameter("external_user_id", str, description="Or in a JSON body."),
    OpenApiParameter("phone", str, description="Or in a JSON body."),
]
_SPAN = {
    "type": ["object", "null"],
    "properties": {"start": _SECONDS, "end": _SECONDS},
}
BULK_BODY = _forms(
    {
        "type": "object",
        "properties": {
            "filter": {
                "type": ["object", "null"],
                "description": "From `start` on and before `end`.",
                "properties": {"created": _SPAN, "updated": _SPAN},
            },
            "page_size": {"type": "integer", "minimum": 1, "maximum": 1000},
            "page": {"type": "integer", "minimum": 1},
        },
    }
)
BULK_ANSWER = {
    "type": "object",
    "required": ["memberships", "total_records"],
    "properties": {
        "memberships": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string"},
                    "phone": {"type": ["string", "null"]},
                    "external_user_id": {"type": ["string", "null"]},
                    "magic_link": {"type": "null"},
                    "created_at": {"type": "integer"},
                    "updated_at": {"type": "integer"},
                },
            },
        },
        "total_records": {"type": "integer"},
    },
}
TRAIT_BODY = _forms(
    {
        "type": "object",
        "required": ["trait_name", "trait_value"],
        "properties": {
            "trait_name": {"type": "string", "maxLength": 255},
            "trait_value": {"type": "string", "maxLength": 255},
        },
    }
)
TRAITS_ANSWER = {
    "type": "object",
    "required": ["traits"],
    "properties": {
        "traits": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": "string"},
                },
            },
        }
    },
}
