"""The groups of staff and what each may do."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

_APPS = ("loyalty", "campaigns", "activities")
_EDITED_BY_MARKETING = (
    "activitytype",
    "assignedgroup",
    "campaign",
    "campaigngroup",
    "itemlist",
    "listeditem",
    "partner",
    "quest",
    "questrequirement",
    "rewardmethod",
    "rulesegment",
    "segment",
    "segmentmembership",
    "segmentrule",
    "tag",
    "tier",
    "uploadmapping",
    "vouchertype",
)
_ADDED_BY_MARKETING = (
    "backtest",
    "businessunit",
    "channel",
    "wallet",
    "upload",
    "vouchercodejob",
)
# Who may look at campaigns may interact with them for members; the permission
# stands apart, so that it can be taken away.
_VIEW = Q(codename__startswith="view_") | Q(codename="interact")


def _of(verbs: tuple[str, ...], models: tuple[str, ...]) -> Q:
    return Q(codename__in=[f"{verb}_{model}" for verb in verbs for model in models])


_ALL = ("add", "change", "delete")
# Everybody may look at the program; this is what a group may do besides.
GROUPS: dict[str, Q] = {
    "Marketing": _VIEW
    | _of(_ALL, _EDITED_BY_MARKETING)
    # Of files that they uploaded themselves; the others are for those below.
    | Q(codename="undo_own_upload")
    | _of(("add", "change"), _ADDED_BY_MARKETING),
    "Support": _VIEW
    | _of(("add", "change"), ("member", "identity", "segmentmembership"))
    | _of(("add",), ("activityreversal", "entry"))
    # To change a voucher is to cancel it, for a reason.
    | _of(("change",), ("voucher",)),
    "Analyst": _VIEW | _of(("add",), ("backtest",)),
    # To add an entry is to move points by hand, for a reason.
    "Finance": _VIEW
    | _of(("add",), ("activityreversal", "entry"))
    | _of(("change",), ("voucher",)),
    "Operator": _VIEW
    | _of(("add", "change"), ("program", "wallet", "businessunit", "channel"))
    | _of(("add", "change"), ("apikey", "upload", "frequencyperiod"))
    | _of(("change", "delete"), ("uploadmapping",))
    | _of(("change",), ("kind", "kindnumber"))
    | _of(_ALL, ("identityrule",))
    | _of(("add",), ("activityreversal",)),
}


def create_groups() -> dict[str, int]:
    """Make the groups, or bring them up to date; return permissions by group.

    Permissions that were given to a group by hand stay. Can be run at any time.
    """
    counts = {}
    with transaction.atomic():
        for name, chosen in GROUPS.items():
            group, _ = Group.objects.get_or_create(name=name)
            permissions = Permission.objects.filter(
                chosen, content_type__app_label__in=_APPS
            )
            group.permissions.add(*permissions)
            counts[name] = len(permissions)
    return counts
