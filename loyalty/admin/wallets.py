"""Pages of wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from unfold.decorators import display

from loyalty.admin.bases import ProgramAdmin, where_chosen
from loyalty.models import Account, Wallet

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Wallet)
class WalletAdmin(ProgramAdmin):
    """Kinds of points: how they count, round and expire."""

    list_display = ("name", "code", "decimals", "rounding", "expires", "pending_days")
    search_fields = ("name", "code")
    ordering = ("name",)
    conditional_fields = {
        "expiry_count": where_chosen("expiry_model", "expiry_model != 'never'")
    }
    fieldsets = (
        ("What", {"fields": ("program", "name", "code", "decimals", "rounding")}),
        ("When", {"fields": ("pending_days", "expiry_model", "expiry_count")}),
        ("Limits", {"fields": ("allows_negative", "counts_for_tier")}),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Wallet | None = None
    ) -> tuple[str, ...]:
        """Fix what explains points once there are some: the code and the decimals."""
        return ("code", "decimals") if _has_points(obj) else ()

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Wallet | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if _has_points(obj) else {"code": ("name",)}

    @display(description="Expiry")
    def expires(self, wallet: Wallet) -> str:
        """Return the expiry rule in words."""
        rule = wallet.get_expiry_model_display()
        return f"{rule}: {wallet.expiry_count}" if wallet.expiry_count else rule


def _has_points(wallet: Wallet | None) -> bool:
    """Return whether a member was ever given points of the wallet, or has spent any."""
    if wallet is None:
        return False
    return Account.objects.filter(wallet=wallet, member__isnull=False).exists()
