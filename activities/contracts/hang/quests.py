"""Opting in to quests and reading how far a program membership is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from django.urls import path
from drf_spectacular.utils import extend_schema

from activities.contracts.hang.contract import HangView, is_number, member_number
from campaigns.services.programme import current_programme
from campaigns.services.taking_part import (
    UnknownOptIn,
    UnknownQuest,
    opt_in,
    participation_numbered,
    participations_of,
)
from loyalty.api.contract import answer
from loyalty.api.points import points_of
from loyalty.api.problems import Problem
from loyalty.engine.numbers import format_value
from loyalty.models import Voucher
from loyalty.services import clock
from loyalty.services.members import member_numbered

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

    from campaigns.services.taking_part import Participation
    from loyalty.engine.programme import Programme
    from loyalty.engine.quests import Progress

_SECONDS = {"type": ["integer", "null"], "description": "Seconds since 1970."}
_OPT_IN = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "id",
        "quest_id",
        "created_at",
        "updated_at",
        "expires_at",
        "status",
        "progress",
    ],
    "properties": {
        "id": {"type": "string"},
        "quest_id": {"type": "string"},
        "created_at": {"type": "integer"},
        "updated_at": {"type": "integer"},
        "expires_at": _SECONDS,
        "status": {
            "enum": [
                "opted_in",
                "all_requirements_completed",
                "prize_claimed",
                "non_redeemable",
            ]
        },
        "progress": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "activity_id",
                    "value",
                    "updated_at",
                    "fulfilled_at",
                    "prize_claimed_at",
                ],
                "properties": {
                    "activity_id": {"type": "string"},
                    "value": {"type": "number"},
                    "updated_at": {"type": "integer"},
                    "fulfilled_at": _SECONDS,
                    "prize_claimed_at": _SECONDS,
                },
            },
        },
    },
}


_PRIZE = {
    "type": "object",
    "required": ["prize"],
    "properties": {
        "prize": {
            "type": "object",
            "required": ["point_reward_value", "sponsor_name", "lootbox", "reward"],
            "properties": {
                "point_reward_value": {"type": "number"},
                "sponsor_name": {"type": "null"},
                "lootbox": {"type": "null"},
                # Its members are not documented: what a voucher is, and its code.
                "reward": {
                    "type": ["object", "null"],
                    "required": ["id", "name", "description", "code"],
                    "properties": {
                        "id": {"type": "string"},
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        "code": {"type": "string"},
                    },
                },
            },
        }
    },
}


class OptIn(HangView):
    """One quest of a program membership."""

    @extend_schema(
        request=None,
        responses={
            200: {
                "type": "object",
                "required": ["opt_in"],
                "properties": {"opt_in": _OPT_IN},
            }
        },
    )
    def post(self, request: Request, membership_id: str, quest_id: str) -> HttpResponse:
        """Opt a program membership into a quest; again goes on with the first."""
        now = clock.now()
        program_id = self.caller.program_id
        member_id = member_number(membership_id)

        taken = opt_in(
            program_id,
            member_id,
            _quest_number(quest_id),
            now=now,
            unit_ids=self.caller.unit_ids,
        )

        programme = current_programme(program_id)
        return answer({"opt_in": rendered(taken, programme, now)})


class OptIns(HangView):
    """All opt-ins of a program membership."""

    @extend_schema(
        responses={
            200: {
                "type": "object",
                "required": ["opt_ins"],
                "properties": {"opt_ins": {"type": "array", "items": _OPT_IN}},
            }
        }
    )
    def get(self, request: Request, membership_id: str) -> HttpResponse:
        """Return how far a program membership is in its quests."""
        now = clock.now()
        program_id = self.caller.program_id
        member = member_numbered(program_id, member_number(membership_id))
        programme = current_programme(program_id)
        found = participations_of(program_id, member.pk)
        return answer({"opt_ins": [rendered(one, programme, now) for one in found]})


class ClaimQuestPrize(HangView):
    """The prize of a quest."""

    @extend_schema(request=None, responses={200: _PRIZE})
    def post(self, request: Request, opt_in_id: str) -> HttpResponse:
        """Return the prize of a completed quest.

        It was given with the activity that completed the quest: nothing moves here.
        """
        if not is_number(opt_in_id):
            raise UnknownOptIn(f"There is no opt-in {opt_in_id[:40]}.")
        one = participation_numbered(self.caller.program_id, int(opt_in_id))
        if one.prize_at is None:
            raise Problem(422, "not_redeemable", "The quest prize is not redeemable.")
        offer = one.quest.offer
        points = 0 if offer.gives_no_points else offer.points
        prize = {
            "point_reward_value": points_of(points, offer.wallet.decimals),
            "sponsor_name": None,
            "lootbox": None,
            "reward": _voucher_of(one),
        }
        return answer({"prize": prize})


def _voucher_of(one: Participation) -> dict[str, str] | None:
    """Return the voucher that was the prize, None if it was points."""
    given = Voucher.objects.filter(
        offer=one.quest.offer.id, member__quest_opt_ins=one.id
    )
    voucher = given.select_related("voucher_type").order_by("-pk").first()
    if voucher is None:
        return None
    kind = voucher.voucher_type
    return {
        "id": str(kind.pk),
        "name": kind.title or kind.name,
        "description": kind.description,
        "code": voucher.code,
    }


def _quest_number(quest_id: str) -> int:
    if not is_number(quest_id):
        raise UnknownQuest(f"There is no quest {quest_id[:40]}.")
    return int(quest_id)


def rendered(one: Participation, programme: Programme, now: datetime) -> dict[str, Any]:
    """Return an opt-in as the vendor writes it."""
    codes = {rule.offer.id: code for code, rule in programme.types.items()}
    return {
        "id": str(one.id),
        "quest_id": str(one.quest.id),
        "created_at": _seconds(one.opted_in_at),
        "updated_at": _seconds(one.updated_at),
        "expires_at": _seconds(one.ends_at),
        "status": _status(one, now),
        "progress": [_progress(each, one, codes) for each in one.progress],
    }


def _status(one: Participation, now: datetime) -> str:
    if one.prize_at is not None:
        return "prize_claimed"
    if one.is_completed:
        return "all_requirements_completed"
    return "opted_in" if one.is_open_at(now) else "non_redeemable"


def _progress(
    each: Progress, one: Participation, codes: dict[int, str]
) -> dict[str, Any]:
    return {
        "activity_id": codes[each.requirement.activity_type_id],
        # A number that never was a float.
        "value": orjson.Fragment(format_value(each.value)),
        "updated_at": _seconds(each.updated_at or one.opted_in_at),
        "fulfilled_at": _seconds(each.fulfilled_at),
        "prize_claimed_at": _seconds(one.prize_at),
    }


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


_QUESTS = "partner-api/v2/program-memberships/<str:membership_id>/quests"
urlpatterns = [
    path(f"{_QUESTS}/opt-ins", OptIns.as_view()),
    path(f"{_QUESTS}/<str:quest_id>/opt-in", OptIn.as_view()),
    path(
        "partner-api/opt-ins/<str:opt_in_id>/claim-quest-prize",
        ClaimQuestPrize.as_view(),
    ),
]
