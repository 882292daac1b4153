"""Look and navigation of the admin."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return a line of the sidebar for a model's list, for those who may see it."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may_see(model),
    }


def _may_see(model: str) -> Callable[[HttpRequest], bool]:
    """Return whether a request comes from somebody who may see a model's rows."""
    app, name = model.split(".")

    def may_see(request: HttpRequest) -> bool:
        return any(
            request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change")
        )

    return may_see


def _programs(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu for changing to another program."""
    if not request.user.has_perm("loyalty.view_program"):
        return []
    from loyalty.services.staff import programs_of

    return [
        {
            "title": program.name,
            "icon": "loyalty",
            "link": reverse("admin:loyalty_program_work_in", args=[program.pk]),
        }
        for program in programs_of(request.user).order_by("name")[:20]
    ]


def _program_name(request: HttpRequest) -> str:
    """Return the name of the program whose rows are shown."""
    if not request.user.is_authenticated:
        return ""
    from loyalty.admin.working_program import working_program

    program = working_program(request)
    return program.name if program else "No program yet"


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Loyalty",
    "SITE_HEADER": "Loyalty",
    "SITE_SUBHEADER": _program_name,
    "SITE_DROPDOWN": _programs,
    "SITE_SYMBOL": "loyalty",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _: static("loyalty/icon.svg"),
        }
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "activities.admin.dashboard.with_figures",
    "STYLES": [lambda _: static("loyalty/admin.css")],
    "SCRIPTS": [
        lambda _: static("loyalty/admin.js"),
        lambda _: static("loyalty/keyboard.js"),
    ],
    "COMMAND": {"search_models": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "",
                "items": [
                    {
                        "title": "Overview",
                        "icon": "dashboard",
                        "link": reverse_lazy("admin:index"),
                    },
                ],
            },
            {
                "title": "Marketing",
                "separator": True,
                "items": [
                    _page("Campaigns", "campaign", "campaigns.campaign"),
                    _page("Campaign groups", "folder", "campaigns.campaigngroup"),
                    _page("Quests", "flag", "campaigns.quest"),
                    {
                        "title": "Try it out",
                        "icon": "science",
                        "link": reverse_lazy("admin:activities_backtest_try"),
                        "permission": _may_see("campaigns.campaign"),
                    },
                    {
                        **_page("Backtests", "history", "activities.backtest"),
                        # “Try it out” has its address below that of backtests.
                        "active": lambda request: (
                            "/backtest/" in request.path
                            and "/backtest/try/" not in request.path
                        ),
                    },
                    _page("Activity types", "touch_app", "loyalty.activitytype"),
                    _page("Segments", "groups", "loyalty.segment"),
                    _page("Rule segments", "rule", "activities.rulesegment"),
                    _page("Product lists", "list_alt", "campaigns.itemlist"),
                    _page("Product groups", "category", "campaigns.assignedgroup"),
                    _page("Voucher types", "sell", "loyalty.vouchertype"),
                    _page("Tiers", "military_tech", "loyalty.tier"),
                ],
            },
            {
                "title": "Members",
                "separator": True,
                "items": [
                    _page("Members", "person", "loyalty.member"),
                    _page("Activities", "receipt_long", "activities.activity"),
                    _page("Interactions", "touch_app", "activities.interaction"),
                    _page("Draws", "casino", "activities.draw"),
                    _page("Vouchers", "confirmation_number", "loyalty.voucher"),
                    _page("Uploads", "upload_file", "activities.upload"),
                    _page("File mappings", "table_chart", "activities.uploadmapping"),
                    _page("Not known yet", "person_search", "loyalty.anonymousprofile"),
                    _page("Called alike", "group_remove", "loyalty.duplicateidentity"),
                ],
            },
            {
                "title": "Ledger",
                "separator": True,
                "collapsible": True,
                "items": [
                    _page("Entries", "swap_horiz", "loyalty.entry"),
                    _page("Accounts", "account_balance_wallet", "loyalty.account"),
                    _page("Lots", "inventory_2", "loyalty.lot"),
                    _page("Completions", "task_alt", "loyalty.completion"),
                    _page("Reversals", "undo", "activities.activityreversal"),
                    _page("Tier changes", "stairs", "loyalty.membertier"),
                ],
            },
            {
                "title": "Set-up",
                "separator": True,
                "collapsible": True,
                "items": [
                    _page("Programs", "loyalty", "loyalty.program"),
                    _page("Wallets", "wallet", "loyalty.wallet"),
                    _page("Business units", "store", "loyalty.businessunit"),
                    _page("Channels", "devices", "loyalty.channel"),
                    _page("Partners", "handshake", "loyalty.partner"),
                    _page("Tags", "label", "loyalty.tag"),
                    _page("Frequency periods", "update", "loyalty.frequencyperiod"),
                    _page("Categories", "category", "loyalty.category"),
                    _page("Kinds", "shapes", "loyalty.kind"),
                    _page(
                        "Reporting channels", "bar_chart", "loyalty.reportingchannel"
                    ),
                    _page("API keys", "key", "loyalty.apikey"),
                    _page("Member apps", "phone_iphone", "activities.memberapp"),
                    _page("Login sessions", "login", "activities.loginsession"),
                    _page("Changes", "history", "loyalty.configurationrevision"),
                ],
            },
            {
                "title": "System",
                "separator": True,
                "collapsible": True,
                "items": [
                    _page("Staff", "badge", "auth.user"),
                    _page("Groups", "shield_person", "auth.group"),
                    _page(
                        "Scheduled work", "schedule", "django_celery_beat.periodictask"
                    ),
                    _page("Ledger checks", "balance", "activities.ledgercheck"),
                    _page("Failed sign-ins", "gpp_maybe", "axes.accessattempt"),
                ],
            },
        ],
    },
}
