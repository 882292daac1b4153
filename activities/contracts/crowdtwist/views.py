"""The paths of the contract: catalogue, credit and history."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import path
from drf_spectacular.utils import extend_schema

from activities import services
from activities.contracts.crowdtwist import bodies, documents, paging, rendering
from activities.contracts.crowdtwist.envelope import CONTRACT, NO_ACCESS
from activities.services import catalogue, crediting, history
from loyalty.api.contract import ContractView, Refusal, answer, in_header, in_query
from loyalty.api.problems import Problem
from loyalty.models import KindNumbering
from loyalty.services import UnknownIdentity, clock, member_numbered, member_with_any

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

    from activities.services.catalogue import CatalogueEntry
    from loyalty.models import ActivityType, Member

# Each path has sizes of its own.
CATALOGUE_SIZES = paging.Sizes(default=10, largest=25)
MEMBER_CATALOGUE_SIZES = paging.Sizes(default=10, largest=10)
HISTORY_SIZE_MAX = 1_000
PAGE_NUMBER_MAX = 1_000_000

_NO_MEMBER = Refusal(404, bodies.NO_SUCH_MEMBER, "page_not_found")


class CrowdTwistView(ContractView):
    """A path that is read."""

    contract = CONTRACT
    keys = (in_header("X-CT-Authorization", "CTApiKey"), in_query("api_key"))
    http_method_names = ["get", "head"]
    refusals = {
        UnknownIdentity: _NO_MEMBER,
        catalogue.NotInCatalogue: Refusal(
            404, "Activity does not exist.", "page_not_found"
        ),
    }

    def member(self, user_id: str) -> Member:
        """Return the member that the path names."""
        named = bodies.member_named(user_id, self.request.query_params.get("id_type"))
        if isinstance(named, int):
            return member_numbered(self.caller.program_id, named)
        return member_with_any(self.caller.program_id, named)


class Catalogue(CrowdTwistView):
    """``GET /v2.1/activities/extended``."""

    @extend_schema(
        parameters=[documents.PAGE, documents.PAGE_SIZE],
        responses=documents.CataloguePage,
    )
    def get(self, request: Request) -> HttpResponse:
        """What members can do, whoever they are: 10 on a page, at most 25."""
        size = paging.size_of(request.query_params.get("page_size"), CATALOGUE_SIZES)
        rows = catalogue.live_catalogue(
            self.caller.program_id, _now(), self.caller.unit_ids
        )
        page = paging.page_of(rows.count(), request.query_params.get("page"), size)
        shown = catalogue.for_catalogue(rows)[page.start : page.stop]
        numbers = catalogue.kind_numbers(KindNumbering.EXTENDED)
        return answer(
            {
                "paging": paging.paging(page, size, request),
                "activities": [rendering.extended(row, numbers) for row in shown],
            }
        )


class PlainCatalogue(CrowdTwistView):
    """``GET /v2/activities``: not in pages, other numbers of types."""

    @extend_schema(responses=documents.PlainActivity(many=True))
    def get(self, request: Request) -> HttpResponse:
        """What members can do, whoever they are: all of it."""
        rows = catalogue.live_catalogue(
            self.caller.program_id, _now(), self.caller.unit_ids
        )
        numbers = catalogue.kind_numbers(KindNumbering.PLAIN)
        return answer([rendering.plain(row, numbers) for row in rows])


class CatalogueRow(CrowdTwistView):
    """``GET /v2/activities/{activity_id}/extended``."""

    @extend_schema(responses=documents.ExtendedActivity)
    def get(self, request: Request, activity_id: str) -> HttpResponse:
        """One activity, live or not."""
        if not (activity_id.isascii() and activity_id.isdigit()) or (
            len(activity_id) > 18
        ):
            raise catalogue.NotInCatalogue("No activity is called so.")
        row = catalogue.catalogue_row(
            self.caller.program_id, int(activity_id), self.caller.unit_ids
        )
        numbers = catalogue.kind_numbers(KindNumbering.EXTENDED)
        return answer(rendering.extended(row, numbers))


class MemberCatalogue(CrowdTwistView):
    """``GET /v2.1/users/{user_id}/activities/extended``."""

    @extend_schema(
        parameters=[documents.ID_TYPE, documents.PAGE, documents.PAGE_SIZE],
        responses=documents.MemberCataloguePage,
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """What one member is shown: locked or left out below a tier; 10 on a page."""
        size = paging.size_of(
            request.query_params.get("page_size"), MEMBER_CATALOGUE_SIZES
        )
        entries = catalogue.catalogue_of_member(
            self.member(user_id), _now(), self.caller.unit_ids
        )
        page = paging.page_of(len(entries), request.query_params.get("page"), size)
        shown = entries[page.start : page.stop]
        return answer(
            {
                "paging": paging.paging(page, size, request),
                "activities": _extended_of_member(shown),
            }
        )


class WholeMemberCatalogue(CrowdTwistView):
    """``GET /v2/users/{user_id}/activities/extended``: the same, not in pages."""

    @extend_schema(
        parameters=[documents.ID_TYPE],
        responses=documents.ExtendedActivityOfMember(many=True),
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """What one member is shown: all of it."""
        entries = catalogue.catalogue_of_member(
            self.member(user_id), _now(), self.caller.unit_ids
        )
        return answer(_extended_of_member(entries))


class MemberActivities(CrowdTwistView):
    """``/v2/users/{user_id}/activities``: the plain list, and credits."""

    http_method_names = ["get", "head", "post"]
    refusals = {
        **CrowdTwistView.refusals,
        services.UnknownMember: _NO_MEMBER,
        services.UnknownActivityType: Refusal(
            400, "Activity does not exist.", "invalid"
        ),
        services.BlockedMember: Refusal(400, "User is not active.", "invalid"),
        services.ProgramDisabled: Refusal(403, NO_ACCESS, "invalid_auth"),
        services.OccursInTheFuture: Refusal(
            400, "Value of field [activity_date] is in the future.", "invalid_date"
        ),
        services.OccurredTooLongAgo: Refusal(
            400, "Value of field [activity_date] is too long ago.", "invalid_date"
        ),
        crediting.DatedCreditsDisabled: Refusal(
            400, "Field [activity_date] is not enabled.", "invalid_date"
        ),
        crediting.NoSingleBusinessUnit: Refusal(403, NO_ACCESS, "invalid_auth"),
        services.UnknownBusinessUnit: Refusal(
            400, "Business unit does not exist.", "invalid"
        ),
        services.DisabledBusinessUnit: Refusal(
            400, "Business unit is not active.", "invalid"
        ),
        # These cannot come from here: no field of the vendor's names them.
        services.UnknownChannel: Refusal(400, "Channel does not exist.", "invalid"),
        services.DisabledChannel: Refusal(400, "Channel is not active.", "invalid"),
        services.NegativeValue: Refusal(400, "Value is negative.", "invalid_amount"),
        services.NoExchangeRate: Refusal(
            400, "There is no exchange rate.", "invalid_amount"
        ),
        services.ValueTooLarge: Refusal(400, "Value is too large.", "invalid_amount"),
        services.Implausible: Refusal(400, "Too many points.", "invalid_amount"),
        services.AmountTooLarge: Refusal(400, "Too many points.", "invalid_amount"),
        services.KeyReused: Refusal(400, "Credit was sent before.", "not_unique"),
    }

    @extend_schema(
        parameters=[documents.ID_TYPE],
        responses=documents.PlainActivityOfMember(many=True),
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """What one member is shown: all of it, in short."""
        entries = catalogue.catalogue_of_member(
            self.member(user_id), _now(), self.caller.unit_ids
        )
        numbers = catalogue.kind_numbers(KindNumbering.PLAIN)
        return answer(
            [
                {**rendering.plain_of_member(row, numbers), "is_locked": is_locked}
                for row, is_locked in _loaded(entries)
            ]
        )

    @extend_schema(
        parameters=[documents.ID_TYPE],
        request=documents.NewCredit,
        responses=documents.Accepted,
    )
    def post(self, request: Request, user_id: str) -> HttpResponse:
        """Credit an activity to a member.

        Accepted does not mean paid: a cap, the tier or a segment may forbid it. The
        history tells. Every call counts on its own, because the vendor has no key.
        """
        now = _now()
        member_id = self.member(user_id).pk
        credit = bodies.to_credit(
            request.data, member_id, self.caller, now, uuid.uuid4().hex
        )
        crediting.credit_activity(self.caller.program_id, credit, now=now)
        return answer({"awarded": True})


class History(CrowdTwistView):
    """``GET /v2/users/{user_id}/activity_history``, and with dates in v2.1."""

    @extend_schema(
        parameters=[
            documents.ID_TYPE,
            documents.PAGE_NUMBER,
            documents.HISTORY_PAGE_SIZE,
        ],
        responses=documents.HistoryEntry(many=True),
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """What a member did, newest first."""
        return self.entries(user_id, None, None)

    def entries(
        self, user_id: str, from_at: datetime | None, until_at: datetime | None
    ) -> HttpResponse:
        """Return the asked part of the history between two moments."""
        start, stop = self._part()
        rows = history.history_of(
            self.member(user_id),
            from_at=from_at,
            until_at=until_at,
            unit_ids=self.caller.unit_ids,
        )
        return answer([rendering.history_entry(row) for row in rows[start:stop]])

    def _part(self) -> tuple[int, int]:
        sent = self.request.query_params
        number, size = sent.get("page_number"), sent.get("page_size")
        if number is None and size is None:
            return 0, HISTORY_SIZE_MAX
        if number is None or size is None:
            missing = "page_number" if number is None else "page_size"
            raise Problem(
                400,
                "invalid",
                f"Fields [page_number] and [page_size] go together: [{missing}] is "
                "missing.",
            )
        rows = bodies.number_named("page_size", size, HISTORY_SIZE_MAX)
        page = bodies.number_named("page_number", number, PAGE_NUMBER_MAX)
        return (page - 1) * rows, page * rows


class DatedHistory(History):
    """``GET /v2.1/users/{user_id}/activity_history``."""

    @extend_schema(
        parameters=[
            documents.ID_TYPE,
            *documents.DATES,
            documents.PAGE_NUMBER,
            documents.HISTORY_PAGE_SIZE,
        ],
        responses=documents.HistoryEntry(many=True),
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """What a member did between two dates, newest first."""
        sent = request.query_params
        return self.entries(
            user_id,
            bodies.moment_named("date_start", sent.get("date_start")),
            bodies.moment_named("date_end", sent.get("date_end")),
        )


def _now() -> datetime:
    return clock.now()


def _loaded(entries: list[CatalogueEntry]) -> list[tuple[ActivityType, bool]]:
    rows = catalogue.rows_of(entries)
    return [
        (rows[number], is_locked) for number, is_locked in entries if number in rows
    ]


def _extended_of_member(entries: list[CatalogueEntry]) -> list[dict[str, Any]]:
    numbers = catalogue.kind_numbers(KindNumbering.EXTENDED)
    return [
        {**rendering.extended(row, numbers), "is_locked": is_locked}
        for row, is_locked in _loaded(entries)
    ]


urlpatterns = [
    path("v2.1/activities/extended", Catalogue.as_view()),
    path("v2/activities", PlainCatalogue.as_view()),
    path("v2/activities/<str:activity_id>/extended", CatalogueRow.as_view()),
    path("v2.1/users/<str:user_id>/activities/extended", MemberCatalogue.as_view()),
    path("v2/users/<str:user_id>/activities/extended", WholeMemberCatalogue.as_view()),
    path("v2/users/<str:user_id>/activities", MemberActivities.as_view()),
    path("v2/users/<str:user_id>/activity_history", History.as_view()),
    path("v2.1/users/<str:user_id>/activity_history", DatedHistory.as_view()),
]
