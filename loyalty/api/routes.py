"""Paths of the program's resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loyalty.api import members, resources, vouchers

if TYPE_CHECKING:
    from rest_framework.routers import BaseRouter

RESOURCES = {
    "programs": resources.ProgramViewSet,
    "exchange-rates": resources.ExchangeRateViewSet,
    "business-units": resources.BusinessUnitViewSet,
    "partners": resources.PartnerViewSet,
    "tags": resources.TagViewSet,
    "channels": resources.ChannelViewSet,
    "reporting-channels": resources.ReportingChannelViewSet,
    "categories": resources.CategoryViewSet,
    "kinds": resources.KindViewSet,
    "frequency-periods": resources.FrequencyPeriodViewSet,
    "tiers": resources.TierViewSet,
    "segments": resources.SegmentViewSet,
    "wallets": resources.WalletViewSet,
    "activity-types": resources.ActivityTypeViewSet,
    "members": members.MemberViewSet,
    "voucher-types": vouchers.VoucherTypeViewSet,
    "vouchers": vouchers.VoucherViewSet,
}


def register(router: BaseRouter) -> None:
    """Add the resources to the router."""
    for path, viewset in RESOURCES.items():
        router.register(path, viewset, basename=path)
