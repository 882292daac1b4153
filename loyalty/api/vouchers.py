"""Vouchers: looked up, claimed, locked for a basket, redeemed; and their types."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import django_filters
from django.core.files.base import ContentFile
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.response import Response

from loyalty import tasks
from loyalty.api import voucher_bodies as bodies
from loyalty.api.contract import ContractNegotiation
from loyalty.api.filters import CodeFilters, NumberFilter
from loyalty.api.idempotency import idempotent, sent_key
from loyalty.api.pagination import NewestFirst, page_of
from loyalty.api.problems import (
    STATUS_OF_REFUSAL,
    Problem,
    invalid_at,
    invalid_parameter,
)
from loyalty.api.views import ConfigurationViewSet, ProgramViewSet
from loyalty.models import (
    OPEN_STATUSES,
    Voucher,
    VoucherCodeJob,
    VoucherStatus,
    VoucherType,
)
from loyalty.services import clock, vouchers
from loyalty.services.vouchers.code_files import is_code
from loyalty.services.vouchers.finding import meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

STATUS_OF_REFUSAL.update(
    {
        "unknown_voucher": 404,
        "unknown_voucher_type": 404,
        "voucher_not_given": 409,
        "voucher_not_claimed": 409,
        "voucher_already_redeemed": 409,
        "voucher_expired": 409,
        "voucher_void": 409,
        "voucher_locked": 409,
        "voucher_of_other_member": 403,
        "claim_not_allowed": 403,
        "member_blocked": 409,
        "amount_above_voucher": 422,
        "partial_redemption_not_possible": 422,
        "too_many_vouchers": 422,
        "voucher_codes_spent": 409,
        "voucher_type_has_no_list": 409,
        "code_count_out_of_range": 422,
    }
)
_PICTURES = {
    "svg": (vouchers.svg_of, "image/svg+xml"),
    "png": (vouchers.png_of, "image/png"),
}


class VoucherTypeViewSet(ConfigurationViewSet):
    """What vouchers of each sort are worth, and the lists of codes of some."""

    queryset = VoucherType.objects.select_related("stock")
    serializer_class = bodies.VoucherTypeSerializer
    filterset_class = CodeFilters

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        paging = {"cursor", "page_size"} if self.action == "codes" else set()
        return super().known_parameters() | paging

    @extend_schema(responses=bodies.CodeJobSerializer(many=True), filters=False)
    @action(
        detail=True, methods=["get"], pagination_class=NewestFirst, url_path="codes"
    )
    def codes(self, request: Request, pk: str) -> Response:
        """What was added to the list of codes, newest first, and how far it is."""
        rows = VoucherCodeJob.objects.filter(voucher_type=self.get_object())
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(
            bodies.CodeJobSerializer(page, many=True).data
        )

    @extend_schema(
        request=bodies.NewCodesSerializer, responses={202: bodies.CodeJobSerializer}
    )
    @codes.mapping.post
    @idempotent
    def add_codes(self, request: Request, pk: str) -> Response:
        """Add codes to the list: made, or those sent.

        202: they are added in the background; ask again how far it is.
        """
        voucher_type = self.get_object()
        body = bodies.NewCodesSerializer(data=self.check_object_body(request))
        body.is_valid(raise_exception=True)
        now = clock.now()
        if "count" in body.validated_data:
            job = vouchers.ask_for_codes(
                voucher_type, body.validated_data["count"], user=None, now=now
            )
        else:
            job = vouchers.upload_codes(
                voucher_type,
                ContentFile(_lines_of(body.validated_data["codes"]), "codes.txt"),
                has_heading=False,
                user=None,
                now=now,
            )
        tasks.enqueue_code_job(job.pk)
        answer = bodies.CodeJobSerializer(job).data
        return Response(answer, status=status.HTTP_202_ACCEPTED)


def _lines_of(codes: list[str]) -> bytes:
    for place, code in enumerate(codes):
        if not is_code(code):
            raise invalid_at(
                f"/codes/{place}",
                "no_code",
                "A code has letters, digits and signs, no blanks and no slashes.",
            )
    # Quoted, so that no sign in a code parts it.
    return "\n".join('"' + code.replace('"', '""') + '"' for code in codes).encode()


class VoucherFilters(django_filters.FilterSet):
    """How vouchers are found."""

    code = django_filters.CharFilter(
        method="with_code", label="Code, however it is typed."
    )
    member = NumberFilter(field_name="member_id", label="Number of a member.")
    type = NumberFilter(field_name="voucher_type_id", label="Number of a type.")
    activity = NumberFilter(
        field_name="activity_id", label="Number of an activity or interaction."
    )
    status = django_filters.ChoiceFilter(
        choices=VoucherStatus.choices,
        method="with_status",
        label="Status now. Left out: every one except `available`.",
    )

    class Meta:
        model = Voucher
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Voucher]) -> QuerySet[Voucher]:
        """Leave listed codes out that nobody has, if nobody asks for them."""
        rows = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        if not asked.get("status") and not asked.get("code"):
            rows = rows.exclude(status=VoucherStatus.AVAILABLE)
        return rows

    def with_code(
        self, rows: QuerySet[Voucher], name: str, value: str
    ) -> QuerySet[Voucher]:
        """Select the voucher that the code means."""
        found = meant(rows, [value])
        return rows.filter(pk__in=[one.pk for one in found.values()])

    def with_status(
        self, rows: QuerySet[Voucher], name: str, value: str
    ) -> QuerySet[Voucher]:
        """Select by the status that counts now: past its end, it is expired."""
        now = clock.now()
        is_over = Q(status__in=OPEN_STATUSES, expires_at__lte=now)
        if value == VoucherStatus.EXPIRED:
            return rows.filter(Q(status=value) | is_over)
        if value in OPEN_STATUSES:
            has_time = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
            return rows.filter(has_time, status=value)
        return rows.filter(status=value)


class VoucherViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ProgramViewSet):
    """Vouchers of the program, by code.

    Not listed: codes of lists that nobody has, unless `status=available` asks. A key
    bound to business units sees and redeems vouchers that campaigns of these units, or
    of none, gave.
    """

    queryset = Voucher.objects.select_related("voucher_type", "regenerated_from")
    serializer_class = bodies.VoucherSerializer
    filterset_class = VoucherFilters
    pagination_class = NewestFirst
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    http_method_names = ["get", "post", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse codes that no row can have."""
        super().initial(request, *args, **kwargs)
        if re.search("[\0\ud800-\udfff]", kwargs.get("code", "")):
            raise Problem(404, "unknown_voucher", "There is no voucher with this code.")

    def known_parameters(self) -> frozenset[str]:
        """Return the query parameters that the action reads."""
        own = {"type"} if self.action == "qr" else set()
        return super().known_parameters() | own

    def get_queryset(self) -> QuerySet[Voucher]:
        """Return the vouchers that the key may see."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False) or not self.caller.unit_ids:
            return rows
        mine = Q(offer__business_unit_id__in=self.caller.unit_ids)
        return rows.filter(mine | Q(offer__business_unit_id=None))

    def _check_units(self, codes: Sequence[str]) -> None:
        """Refuse codes of vouchers that a key bound to business units cannot see."""
        if self.caller.unit_ids:
            for code in codes:
                self._voucher_with(code)

    def get_object(self) -> Voucher:
        """Return the voucher of the path."""
        return self._voucher_with(self.kwargs["code"])

    def _voucher_with(self, code: str) -> Voucher:
        rows = self.get_queryset()
        found = meant(rows.filter(program_id=self.caller.program_id), [code]).get(code)
        if found is None:
            raise Problem(404, "unknown_voucher", "There is no voucher with this code.")
        return found

    @extend_schema(request=bodies.ClaimSerializer, responses=bodies.VoucherSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def claim(self, request: Request, code: str) -> Response:
        """Claim a voucher, so that it can be redeemed; again changes nothing."""
        asked = self._read(request, bodies.ClaimSerializer)
        claimed = self._claim([code], asked)
        return self._answer(claimed[0])

    @extend_schema(
        request=bodies.ClaimsSerializer, responses=bodies.VoucherSerializer(many=True)
    )
    @action(detail=False, methods=["post"], url_path="claim")
    @idempotent
    def claim_all(self, request: Request) -> Response:
        """Claim up to ten vouchers, all or none, and lock them for a basket."""
        asked = self._read(request, bodies.ClaimsSerializer)
        claimed = self._claim(asked["codes"], asked)
        return Response(page_of(self._bodies(claimed)))

    @extend_schema(
        request=bodies.MemberAsksSerializer, responses=bodies.VoucherSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def unclaim(self, request: Request, code: str) -> Response:
        """Take a claim back. While a basket holds it, members cannot."""
        asked = self._read(request, bodies.MemberAsksSerializer)
        self._check_units([code])
        found = vouchers.unclaim(
            self.caller.program_id, code, asker=self._asker(asked), now=_now()
        )
        return self._answer(found)

    @extend_schema(request=bodies.LockSerializer, responses=bodies.VoucherSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def lock(self, request: Request, code: str) -> Response:
        """Hold a claimed voucher for a basket; the same basket may hold it longer."""
        asked = self._read(request, bodies.LockSerializer)
        self._check_units([code])
        found = vouchers.lock(
            self.caller.program_id,
            code,
            bodies.lock_of(asked),
            asker=self._asker({}),
            now=_now(),
        )
        return self._answer(found)

    @extend_schema(request=bodies.UnlockSerializer, responses=bodies.VoucherSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def unlock(self, request: Request, code: str) -> Response:
        """Let go of a voucher that a basket holds."""
        asked = self._read(request, bodies.UnlockSerializer)
        self._check_units([code])
        found = vouchers.unlock(
            self.caller.program_id,
            code,
            locking_code=asked["locking_code"],
            asker=self._asker({}),
            now=_now(),
        )
        return self._answer(found)

    @extend_schema(
        request=bodies.RedemptionSerializer, responses=bodies.RedeemedSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def redeem(self, request: Request, code: str) -> Response:
        """Redeem a claimed voucher, in full or in part; the rest is a new voucher.

        The same Idempotency-Key, or without one the same basket and amount, is
        answered like the first time.
        """
        asked = self._read(request, bodies.RedemptionSerializer)
        self._check_units([code])
        done = vouchers.redeem(
            self.caller.program_id,
            code,
            vouchers.Redemption(
                asked.get("amount"),
                asked["basket_code"],
                asked["locking_code"],
                sent_key(request) or "",
            ),
            asker=self._asker({}),
            now=_now(),
        )
        found = [done.voucher, *([done.regenerated] if done.regenerated else [])]
        rendered = [*self._bodies(found), None]
        return Response({"voucher": rendered[0], "regenerated_voucher": rendered[1]})

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "type", str, enum=sorted(_PICTURES), description="svg if left out."
            )
        ],
        responses={
            (200, "image/svg+xml"): OpenApiResponse(OpenApiTypes.STR),
            (200, "image/png"): OpenApiResponse(OpenApiTypes.BINARY),
        },
        filters=False,
    )
    @action(
        detail=True,
        pagination_class=None,
        content_negotiation_class=ContractNegotiation,
    )
    def qr(self, request: Request, code: str) -> HttpResponse:
        """The code as a QR code, for screens (SVG) and for print (PNG)."""
        found = _PICTURES.get(request.query_params.get("type", "svg"))
        if found is None:
            raise invalid_parameter("type", "unknown_type", "Ask for svg or png.")
        draw, content_type = found
        picture = draw(self.get_object().code)
        return HttpResponse(
            picture, content_type=content_type, headers={"Cache-Control": "no-store"}
        )

    def _read(self, request: Request, serializer: type[Any]) -> dict[str, Any]:
        body = serializer(data=self.check_object_body(request))
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = body.validated_data
        return asked

    def _asker(self, asked: dict[str, Any]) -> vouchers.Asker:
        return vouchers.Asker(self.caller.actor, asked.get("member"))

    def _claim(self, codes: list[str], asked: dict[str, Any]) -> list[Voucher]:
        self._check_units(codes)
        lock = asked.get("lock")
        return vouchers.claim(
            self.caller.program_id,
            codes,
            asker=self._asker(asked),
            now=_now(),
            lock=None if lock is None else bodies.lock_of(lock),
        )

    def _answer(self, voucher: Voucher) -> Response:
        return Response(self._bodies([voucher])[0])

    def _bodies(self, found: list[Voucher]) -> list[dict[str, Any]]:
        """Return what vouchers look like now, in their order."""
        rows = self.get_queryset().in_bulk([one.pk for one in found])
        fresh = [rows[one.pk] for one in found]
        return list(bodies.VoucherSerializer(fresh, many=True).data)


def _now() -> datetime:
    return clock.now()
