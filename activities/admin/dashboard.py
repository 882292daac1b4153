"""The first page: what the program owes, what goes on, and what to do next."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from activities.models import Upload, UploadStatus
from activities.services.ledger_checks import last_check
from campaigns.admin.wording import points_given
from campaigns.models import Campaign
from campaigns.reports import NOTHING_GIVEN, given_by
from loyalty.admin.formatting import list_page, page_of, points
from loyalty.admin.offers import window
from loyalty.admin.working_program import working_program
from loyalty.models import (
    ActivityType,
    BusinessUnit,
    Channel,
    ConfigurationRevision,
    Member,
    Program,
    Tier,
    Wallet,
)
from loyalty.reports import DayOfPoints, outstanding_points, points_by_day
from loyalty.services import clock

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

_DAYS = 30
_SHOWN = 6
_WAITING = (UploadStatus.UPLOADED, UploadStatus.VALIDATED, UploadStatus.PAUSED)
_WORKING = (UploadStatus.VALIDATING, UploadStatus.RUNNING, UploadStatus.UNDOING)


class Tile(NamedTuple):
    """One figure, what it counts and where its rows are."""

    title: str
    figure: str
    note: str
    address: str


class Step(NamedTuple):
    """One step of setting a program up."""

    title: str
    text: str
    address: str
    is_done: bool
    is_optional: bool = False


class Column(NamedTuple):
    """One day of the chart; heights in percent of the highest day."""

    title: str
    label: str
    base: float
    bonus: float
    targeted: float


class Chart(NamedTuple):
    """What members earned by day in one wallet, with the sums of its buckets."""

    title: str
    highest: str
    sums: list[tuple[str, str, str]]
    columns: list[Column]


class UploadLine(NamedTuple):
    """An upload that is not at its end."""

    upload: Upload
    address: str
    percent: int | None


class CampaignLine(NamedTuple):
    """A campaign that pays today."""

    name: str
    address: str
    window: str
    points: str


def with_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the first page with the program's figures."""
    program = working_program(request)
    context["program"] = program
    context["title"] = program.name if program else "Welcome"
    context["may_add_program"] = request.user.has_perm("loyalty.add_program")
    # Whoever has no group yet sees no figures.
    if program is None or not request.user.has_perm("loyalty.view_account"):
        return context

    now = clock.now()
    steps = _steps(program)
    is_set_up = all(step.is_done or step.is_optional for step in steps)
    context |= {
        "steps": [] if is_set_up else steps,
        "tiles": _tiles(program, now),
        "charts": _charts(program, now),
        "uploads": _uploads(program),
        "live_campaigns": _live_campaigns(program, now),
        "changes": ConfigurationRevision.objects.filter(program=program).order_by(
            "-number"
        )[:_SHOWN],
    }
    return context


def _steps(program: Program) -> list[Step]:
    """Return what a program needs before its first point, in order."""
    return [
        Step(
            "Make a wallet",
            "The kind of points: how they round and when they expire.",
            reverse("admin:loyalty_wallet_add"),
            Wallet.objects.filter(program=program).exists(),
        ),
        Step(
            "Add the channels",
            "Where members act: stores, app, website.",
            reverse("admin:loyalty_channel_add"),
            Channel.objects.filter(program=program).exists(),
        ),
        Step(
            "Add business units and tiers, if you have them",
            "Units are banners, countries or brands; tiers are levels that members "
            "reach. Campaigns can be limited to either.",
            reverse("admin:loyalty_tier_changelist"),
            BusinessUnit.objects.filter(program=program).exists()
            or Tier.objects.filter(program=program).exists(),
            is_optional=True,
        ),
        Step(
            "Say what members can do",
            "An activity type, such as a purchase, and its base points.",
            reverse("admin:loyalty_activitytype_add"),
            ActivityType.objects.filter(program=program).exists(),
        ),
        Step(
            "Bring in members and what they did",
            "Upload a file, or give a client app an API key.",
            reverse("admin:activities_upload_changelist"),
            Member.objects.filter(program=program).exists(),
        ),
        Step(
            "Make a campaign",
            "Extra points for some products, members or days. It starts disabled.",
            reverse("admin:campaigns_campaign_add"),
            Campaign.objects.filter(program=program).exists(),
        ),
    ]


def _tiles(program: Program, now: datetime) -> list[Tile]:
    tiles = []
    soon = now + timedelta(days=_DAYS)
    for one in outstanding_points(program, at=now, expiring_until=soon):
        decimals = one.wallet.decimals
        notes = [
            f"{points(amount, decimals)} {word}"
            for amount, word in (
                (one.pending, "pending"),
                (one.expiring, f"expire within {_DAYS} days"),
            )
            if amount
        ]
        tiles.append(
            Tile(
                f"{one.wallet}: held by members",
                points(one.points, decimals),
                ", ".join(notes) or "None of it expires soon.",
                reverse("admin:loyalty_account_changelist"),
            )
        )
    tiles += _ledger_tiles()
    members = Member.objects.filter(program=program).count()
    live = Campaign.objects.filter(_live(now), program=program)
    ending = live.filter(ends_at__lte=now + timedelta(days=7)).count()
    return [
        *tiles,
        Tile("Members", f"{members:,}", "", list_page(Member)),
        Tile(
            "Live campaigns",
            f"{live.count():,}",
            f"{ending:,} of them end within a week." if ending else "",
            list_page(Campaign, state="Live"),
        ),
    ]


def _ledger_tiles() -> list[Tile]:
    """Return what the last nightly check of the ledger found, if there was any."""
    check = last_check()
    if check is None:
        return []
    count = check.mismatch_count
    found = f"{count:,} mismatches" if count else "Adds up"
    when = date_format(timezone.localtime(check.started_at), "j M, H:i")
    note = f"Checked on {when}."
    if count:
        note += " Tell whoever operates the site."
    return [Tile("Ledger", found, note, page_of(check))]


def _live(now: datetime) -> Q:
    return (
        Q(is_enabled=True)
        & (Q(starts_at=None) | Q(starts_at__lte=now))
        & (Q(ends_at=None) | Q(ends_at__gt=now))
    )


def _charts(program: Program, now: datetime) -> list[Chart]:
    since = now - timedelta(days=_DAYS)
    charts = []
    for wallet in Wallet.objects.filter(program=program).order_by("pk"):
        days = points_by_day(program, wallet.pk, posted_since=since, days=_DAYS)
        if days:
            charts.append(_chart(wallet, days))
    return charts


def _chart(wallet: Wallet, days: list[DayOfPoints]) -> Chart:
    highest = max(day.total for day in days)
    return Chart(
        f"{wallet} earned from {_date(days[0].day)} to {_date(days[-1].day)}",
        points(highest, wallet.decimals),
        [
            (bucket, bucket.lower(), points(amount, wallet.decimals))
            for bucket, amount in (
                ("Base", sum(day.base for day in days)),
                ("Bonus", sum(day.bonus for day in days)),
                ("Targeted", sum(day.targeted for day in days)),
            )
        ],
        [_column(day, highest, wallet.decimals) for day in days],
    )


def _column(day: DayOfPoints, highest: int, decimals: int) -> Column:
    title = (
        f"{_date(day.day)}: {points(day.total, decimals)} "
        f"({points(day.base, decimals)} base, {points(day.bonus, decimals)} bonus, "
        f"{points(day.targeted, decimals)} targeted)"
    )
    base, bonus, targeted = (
        round(100 * amount / highest, 2)
        for amount in (day.base, day.bonus, day.targeted)
    )
    # A label under each bar would not fit.
    label = f"{day.day.day} {day.day:%b}" if day.day.weekday() == 0 else ""
    return Column(title, label, base, bonus, targeted)


def _uploads(program: Program) -> list[UploadLine]:
    rows = Upload.objects.filter(program=program, status__in=[*_WAITING, *_WORKING])
    return [
        UploadLine(
            upload,
            page_of(upload),
            min(100, 100 * upload.phase_done // upload.phase_total)
            if upload.status in _WORKING and upload.phase_total
            else None,
        )
        for upload in rows.order_by("-pk")[:_SHOWN]
    ]


def _live_campaigns(program: Program, now: datetime) -> list[CampaignLine]:
    rows = Campaign.objects.filter(_live(now), program=program)
    campaigns = list(rows.select_related("wallet").order_by("ends_at", "-pk")[:_SHOWN])
    given = given_by([campaign.pk for campaign in campaigns])
    return [
        CampaignLine(
            campaign.name,
            page_of(campaign),
            window(campaign, timezone.get_current_timezone()),
            points_given(
                given.get(campaign.pk, NOTHING_GIVEN), campaign.wallet.decimals
            ),
        )
        for campaign in campaigns
    ]


def _date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
