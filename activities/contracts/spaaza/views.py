"""``/interact-campaign``: a member interacts with a campaign."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema

from activities.contracts.spaaza import codes, credentials, documents, rendering
from activities.contracts.spaaza.credentials import Credentials, Mode
from activities.contracts.spaaza.envelope import CONTRACT, SOURCE, success_body
from activities.contracts.spaaza.gathering import target_of
from activities.contracts.spaaza.replaying import answer_once
from activities.services import AmountTooLarge, ProgramDisabled
from activities.services.interacting import interact
from activities.services.interactions import (
    BlockedMember,
    CampaignFullyRedeemed,
    CampaignNotActive,
    InsufficientPoints,
    Interact,
    KeyReused,
    NotInAudience,
    UnknownCampaign,
    UnknownMember,
)
from campaigns.services.programme import UnknownProgram
from loyalty.api.bodies import StrictJsonParser
from loyalty.api.contract import BEARER, ContractView, in_header
from loyalty.api.form_bodies import FormParser, MultipartParser
from loyalty.services import clock
from loyalty.services.vouchers.refusals import VoucherCodesSpent

if TYPE_CHECKING:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.request import Request

    from activities.contracts.spaaza.gathering import Target
    from loyalty.api.problems import Problem

ACTOR_CHARACTERS_MAX = 150
# What browsers say when they fetch what nobody has asked for yet.
_PREFETCH_HEADERS = ("HTTP_PURPOSE", "HTTP_SEC_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
_PREFETCH_WORDS = frozenset({"prefetch", "prerender", "preview"})
# What administrators are told of a campaign that is not active.
_REASONS = {
    "disabled": "it is switched off",
    "not_started": "it has not started",
    "ended": "it has ended",
    "outside_schedule": "it is closed at this time of day or on this day",
    "other_context": "members do not interact with campaigns of its context",
}


class InteractCampaign(ContractView):
    """``/interact-campaign``.

    Reading it acts, as the vendor has it. ``HEAD`` and what a browser fetches in
    advance therefore stop before the act.
    """

    contract = CONTRACT
    keys = (
        BEARER,
        in_header(credentials.SESSION_KEY),
        in_header(credentials.JWT),
    )
    # Who may interact is a check of its own, at its place in their order.
    permission_classes = []
    parser_classes = [StrictJsonParser, FormParser, MultipartParser]
    http_method_names = ["get", "head", "post"]
    refusals = {
        UnknownCampaign: codes.row("campaign_id_not_found"),
        UnknownMember: codes.row("user_not_found"),
        CampaignNotActive: codes.row("campaign_not_active"),
        ProgramDisabled: codes.row("campaign_not_active"),
        UnknownProgram: codes.row("entity_mismatch"),
        BlockedMember: codes.row("access_denied"),
        NotInAudience: codes.row("access_denied"),
        CampaignFullyRedeemed: codes.row("campaign_fully_redeemed"),
        # Whoever took the last code of a list came in between.
        VoucherCodesSpent: codes.row("campaign_fully_redeemed"),
        InsufficientPoints: codes.row("insufficient_points_for_interaction"),
        KeyReused: codes.row("parameter_invalid"),
        AmountTooLarge: codes.row("access_denied"),
    }

    @property
    def credentials(self) -> Credentials:
        """Return who calls, and for whom that may be."""
        who = self.request.user
        if not isinstance(who, Credentials):
            raise TypeError("No view runs without credentials.")
        return who

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the one that knows the vendor's ways to authenticate."""
        return [credentials.SpaazaAuthentication(self.keys, self.identify)]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse other methods, what nobody has asked for yet, unknown callers."""
        if str(request.method).lower() not in self.http_method_names:
            self.http_method_not_allowed(request)
        sent = " ".join(str(request.META.get(one, "")) for one in _PREFETCH_HEADERS)
        words = sent.lower().replace(";", " ").replace(",", " ").split()
        if not _PREFETCH_WORDS.isdisjoint(words):
            raise codes.refusal("access_denied", "Nothing is done in advance.")
        super().initial(request, *args, **kwargs)

    @extend_schema(parameters=documents.PARAMETERS, responses=documents.ANSWER)
    def get(self, request: Request) -> HttpResponse:
        """Interact with a campaign.

        This acts although it is a GET: the vendor's clients call it so. With an
        `Idempotency-Key` a repeated call gets the first answer. New clients better
        use POST.
        """
        return self._interact(request)

    @extend_schema(
        parameters=documents.PARAMETERS,
        request={
            "application/json": documents.BODY,
            FormParser.media_type: documents.BODY,
        },
        responses=documents.ANSWER,
    )
    def post(self, request: Request) -> HttpResponse:
        """Interact with a campaign; parameters in the query or in the body."""
        return self._interact(request)

    def head(self, request: Request) -> HttpResponse:
        """Check the call as far as that can be without acting."""
        target_of(request, self.credentials, self.caller)
        return HttpResponse(
            content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    def problem_of(self, exc: Exception) -> Problem | None:
        """Return the vendor's words; administrators are told why it is not active."""
        problem = super().problem_of(exc)
        if problem is not None and isinstance(exc, CampaignNotActive):
            who = self.request.user
            if isinstance(who, Credentials) and who.mode is Mode.ADMIN:
                reason = str(exc.facts.get("reason", ""))
                problem.detail = _told(problem.detail, reason)
        return problem

    def _interact(self, request: Request) -> HttpResponse:
        now = clock.now()
        who = self.credentials
        target = target_of(request, who, self.caller)
        return answer_once(target, lambda: _acted(target, who, now))


def _acted(target: Target, who: Credentials, now: datetime) -> dict[str, Any]:
    command = Interact(
        campaign_id=target.campaign_id,
        member_id=target.member_id,
        source=SOURCE,
        key=target.key,
        actor=who.actor[:ACTOR_CHARACTERS_MAX],
        mode=who.mode.value,
    )
    interacted = interact(target.program_id, command, now=now)
    return success_body(
        rendering.results_of(interacted, now), rendering.warnings_of(interacted)
    )


def _told(sentence: str, reason: str) -> str:
    words = _REASONS.get(reason)
    return sentence if words is None else f"{sentence.rstrip('.')}: {words}."


urlpatterns = [path("interact-campaign", InteractCampaign.as_view())]
