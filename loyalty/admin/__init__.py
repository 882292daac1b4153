"""The admin pages of the program, its members and their points."""

from loyalty.admin import (
    activity_types,
    api_keys,
    background,
    identities,
    members,
    people,
    points,
    programme,
    revisions,
    segments,
    voucher_types,
    vouchers,
    wallets,
)

__all__ = [
    "activity_types",
    "api_keys",
    "background",
    "identities",
    "members",
    "people",
    "points",
    "programme",
    "revisions",
    "segments",
    "voucher_types",
    "vouchers",
    "wallets",
]
