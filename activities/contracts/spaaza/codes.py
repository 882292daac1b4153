"""The vendor's numbered errors, each with its status and a sentence."""

from __future__ import annotations

from typing import NamedTuple

from loyalty.api.contract import Refusal
from loyalty.api.problems import Problem


class Code(NamedTuple):
    """One row of the vendor's error table."""

    number: int
    status: int
    sentence: str


#: By name, as the page lists them. Three of them are answered 500 there.
CODES: dict[str, Code] = {
    "no_valid_session": Code(
        6, 401, "The user must be logged in and send a valid session key."
    ),
    "permission_denied_or_non_existent": Code(
        68, 500, "The permission for this is missing, or there is no such thing."
    ),
    "user_id_invalid": Code(
        154, 400, "The user_id must be an integer of at most 10 digits."
    ),
    "chain_id_not_found": Code(217, 400, "There is no chain with this chain_id."),
    "auth_method_invalid": Code(
        228, 500, "This kind of authentication is not accepted here."
    ),
    "myprice_app_not_found": Code(238, 500, "There is no app with this host name."),
    "campaign_id_not_present": Code(245, 400, "The campaign_id is missing."),
    "campaign_id_not_found": Code(246, 404, "There is no campaign with this number."),
    "campaign_id_invalid": Code(247, 400, "The campaign_id must be an integer."),
    "myprice_app_without_entity": Code(264, 400, "The app belongs to nobody."),
    "authorization_invalid": Code(
        265, 400, "The Authorization header must read “Bearer <token>”."
    ),
    "access_token_invalid": Code(266, 401, "The access token is not valid."),
    "no_valid_user": Code(
        267,
        401,
        "Name the user: user_id, member_number or authentication_point_identifier.",
    ),
    "no_myprice_app": Code(269, 400, "The host name of the app is missing."),
    "user_not_found": Code(270, 404, "There is no such user."),
    "entity_mismatch": Code(
        405, 400, "Campaign, chain and user do not belong together."
    ),
    "multiple_parameter_mismatch": Code(
        416, 400, "Several parameters were given where one is expected."
    ),
    "parameter_invalid": Code(419, 400, "A parameter cannot be read."),
    "access_denied": Code(424, 400, "Access is denied."),
    "campaign_not_active": Code(449, 400, "The campaign is not active."),
    "campaign_fully_redeemed": Code(
        450, 400, "The rewards of this campaign have been fully redeemed."
    ),
    "insufficient_points_for_interaction": Code(
        451, 400, "There are not enough points for this."
    ),
}

# What can go wrong outside the vendor's table is numbered 10,000 plus the status,
# which no code of the vendor's is.
_OURS = 10_000
_NAMES = {
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
}


def refusal(name: str, sentence: str = "") -> Problem:
    """Return the problem that ends a call with the vendor's code of this name."""
    code = CODES[name]
    return Problem(code.status, name, sentence or code.sentence)


def row(name: str) -> Refusal:
    """Return the vendor's words for a refusal of a use case."""
    code = CODES[name]
    return Refusal(code.status, code.sentence, name)


def named(problem: Problem) -> tuple[str, Code]:
    """Return the name and the code under which a problem is told.

    What cannot be read is ``parameter_invalid``, whatever part of it.
    """
    if problem.code in CODES:
        code = CODES[problem.code]
        return problem.code, code._replace(sentence=problem.detail)
    if problem.status in {400, 422}:
        code = CODES["parameter_invalid"]
        return "parameter_invalid", code._replace(sentence=problem.detail)
    name = _NAMES.get(problem.status, problem.code)
    return name, Code(_OURS + problem.status, problem.status, problem.detail)
