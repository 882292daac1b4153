"""The admin pages of activities and of the files they come in."""

from activities.admin import (
    activities,
    anonymous,
    backtests,
    campaigns,
    draws,
    interactions,
    ledger_checks,
    logins,
    segments,
    upload_mappings,
    uploads,
)

__all__ = [
    "activities",
    "anonymous",
    "backtests",
    "campaigns",
    "draws",
    "interactions",
    "ledger_checks",
    "logins",
    "segments",
    "upload_mappings",
    "uploads",
]
