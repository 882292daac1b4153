"""What pages of activity types and campaigns share: states, words and switches."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from unfold.contrib.filters.admin import DropdownFilter

from loyalty.admin.bases import ProgramAdmin, where_chosen
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import money, number
from loyalty.engine.ends import last_text
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.engine.periods import Unit
from loyalty.engine.points import times_in_words
from loyalty.models import Offer
from loyalty.services import clock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

_STAYS = (
    "Points were given by it or other rows refer to it. Disable it instead: it then "
    "earns nothing and its history stays."
)
STATE_LABELS = {
    "Disabled": "danger",
    "Scheduled": "info",
    "Live": "success",
    "Ended": "default",
}
REWARD_CONDITIONS = {
    name: where_chosen("reward_method", condition)
    for name, condition in {
        "points": "['fixed', 'per_value', 'per_item_value'].includes(reward_method)",
        "per_value": "['per_value', 'per_item_value'].includes(reward_method)",
        "multiplier": "reward_method == 'multiplier'",
        "voucher_type": "reward_method == 'voucher'",
    }.items()
}
_IN_POINTS = (RewardKind.FIXED, RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE)
_PERIODS = {
    Unit.ROLLING_24_HOURS: "in any 24 hours",
    Unit.CALENDAR_DAY: "a day",
    Unit.SEVEN_CALENDAR_DAYS: "in any seven days",
    Unit.CALENDAR_WEEK: "a week",
    Unit.LIFETIME: "ever",
    Unit.CALENDAR_MONTH: "a month",
    Unit.CALENDAR_YEAR: "a year",
    Unit.ROLLING_365_DAYS: "in any 365 days",
    Unit.ROLLING_30_DAYS: "in any 30 days",
    Unit.ROLLING_90_DAYS: "in any 90 days",
    Unit.ROLLING_180_DAYS: "in any 180 days",
}


class OfferForm(forms.ModelForm):
    """A form of one kind of offer; a new one finds its wallet chosen if there is one.

    The kind is no field of the form, but the code must be unique within it.
    """

    kind: OfferKind

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say which kind it is before anything is checked."""
        super().__init__(*args, **kwargs)
        self.instance.kind = self.kind.value
        field = self.fields.get("wallet")
        if self.instance.pk is None and isinstance(field, forms.ModelChoiceField):
            offered: Any = field.queryset
            wallets = list(offered[:2])
            if len(wallets) == 1:
                self.initial.setdefault("wallet", wallets[0].pk)

    def clean(self) -> dict[str, Any] | None:
        """Ask for the voucher where one is given."""
        cleaned = super().clean()
        ask_which_voucher(self)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"kind"}  # type: ignore[misc]


def ask_which_voucher(form: forms.ModelForm) -> None:
    """Complain where a voucher is given and nobody said which."""
    given = form.cleaned_data.get("reward_method")
    if "voucher_type" not in form.fields or given != RewardKind.VOUCHER.value:
        return
    if form.cleaned_data.get("voucher_type") is None:
        form.add_error("voucher_type", "Choose the voucher that it gives.")


def state_of(offer: Offer, now: datetime) -> str:
    """Return whether an offer can pay at ``now``, in a word."""
    if not offer.is_enabled:
        return "Disabled"
    if offer.starts_at is not None and now < offer.starts_at:
        return "Scheduled"
    if offer.ends_at is not None and now >= offer.ends_at:
        return "Ended"
    return "Live"


class StateFilter(DropdownFilter):
    """Offers by what they are doing now."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in STATE_LABELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Choose the rows in the state asked for."""
        now = clock.now()
        has_started = Q(starts_at=None) | Q(starts_at__lte=now)
        has_ended = Q(ends_at__lte=now)
        rows = {
            "Disabled": Q(is_enabled=False),
            "Scheduled": Q(is_enabled=True, starts_at__gt=now),
            "Ended": Q(is_enabled=True) & has_ended & has_started,
            "Live": Q(is_enabled=True) & has_started & ~has_ended,
        }
        chosen = rows.get(str(self.value()))
        return queryset.filter(chosen) if chosen is not None else queryset


def window(offer: Offer, zone: tzinfo) -> str:
    """Return the first and the last day, with times where it is not all of them."""
    starts = offer.starts_at and offer.starts_at.astimezone(zone)
    if starts and offer.ends_at:
        return f"{_first(starts)} to {last_text(offer.ends_at, zone)}"
    if starts:
        return f"from {_first(starts)}"
    if offer.ends_at:
        return f"until {last_text(offer.ends_at, zone)}"
    return "always"


def when(offer: Offer, zone: tzinfo) -> str:
    """Return the window as the start of a sentence."""
    text = window(offer, zone)
    if offer.starts_at and offer.ends_at:
        return f"From {text}"
    return text[0].upper() + text[1:]


def pays(offer: Offer) -> str:
    """Return the reward as the verb of a sentence: "earn 2 points per 1.00".

    Of a voucher it reads the type: select it for lists.
    """
    method = RewardKind(offer.reward_method)
    if method is RewardKind.NOTHING:
        return "earn nothing"
    if method is RewardKind.METHODS:
        return "get what its reward methods give"
    verb = "get" if method is RewardKind.VOUCHER else "earn"
    return f"{verb} {reward(offer)}"


def reward(offer: Offer) -> str:
    """Return the reward as a thing: "2 points per 1.00", "the voucher “Tea”"."""
    method = RewardKind(offer.reward_method)
    if method is RewardKind.NOTHING:
        return "nothing"
    if method is RewardKind.VOUCHER:
        return f"the voucher “{offer.voucher_type}”"
    if method is RewardKind.MULTIPLIER:
        return times_in_words(int((offer.multiplier or 0) * 10_000))
    amount = f"{number(offer.points)} {unit_of(offer)}"
    if method is RewardKind.FIXED:
        return amount
    return f"{amount} per {money(offer.per_value)}"


def pays_nothing(offer: Offer) -> bool:
    """Return whether the points were forgotten: no method of none, but no points."""
    paid = (RewardKind.FIXED, RewardKind.PER_VALUE, RewardKind.PER_ITEM_VALUE)
    return RewardKind(offer.reward_method) in paid and offer.points == 0


def unit_of(offer: Offer) -> str:
    """Return what the wallet's amounts are called."""
    name = str(offer.wallet)
    if not name.lower().endswith("points"):
        return f"points ({name})"
    return name[:-1] if offer.points == 1 else name


def limits(offer: Offer) -> list[str]:
    """Return the limits for one member, as phrases."""
    phrases = []
    period = offer.frequency_period
    often = _PERIODS[Unit(period.unit)] if period else "ever"
    if offer.required_attempts > 1:
        phrases.append(f"for every {ordinal(offer.required_attempts)} time")
    if offer.cap_count is not None:
        phrases.append(f"at most {number(offer.cap_count)} {often}")
    return phrases


def ordinal(count: int) -> str:
    """Return 1st, 2nd, 3rd, 4th and so on.

    >>> ordinal(3), ordinal(11), ordinal(22)
    ('3rd', '11th', '22nd')
    """
    if count % 100 in (11, 12, 13):
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }"


def listed(names: Iterable[str], word: str = "or") -> str:
    """Return names as a phrase: ``a, b or c``.

    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    names = list(names)
    if len(names) > 4:
        return f"{', '.join(names[:3])} {word} {len(names) - 3} more"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} {word} {names[-1]}"
    return "".join(names)


def _first(starts: datetime) -> str:
    return _date(starts) if starts.time() == time.min else _moment(starts)


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _moment(moment: datetime) -> str:
    return f"{_date(moment)}, {moment:%H:%M}"


class SwitchedAdmin(ProgramAdmin):
    """Offers that are switched on and off, each time after asking."""

    actions = ("enable", "disable")

    def reasons_to_stay(self, request: HttpRequest, rows: list[Any]) -> list[str]:
        """Say in words why an offer that has paid stays; a draft can go."""
        return [_STAYS] if super().reasons_to_stay(request, rows) else []

    def counts_of_deletion(
        self, rows: list[Any], along: dict[type[Model], int]
    ) -> dict[str, int]:
        """Name the drafts alone: what hangs on them would only frighten people."""
        return {str(self.opts.verbose_name_plural): len(rows)}

    @admin.action(description="Enable…", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Let the chosen offers pay."""
        return self._switch(request, queryset, to=True)

    @admin.action(description="Disable…", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Let the chosen offers pay nothing any more."""
        return self._switch(request, queryset, to=False)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet, *, to: bool
    ) -> HttpResponse | None:
        word = "Enable" if to else "Disable"
        rows = list(queryset.exclude(is_enabled=to))
        if not rows:
            self.message_user(request, f"All of them are {word.lower()}d already.")
            return None
        if not is_confirmed(request):
            return ask(request, self, switch_question(rows, to=to), back=request.path)
        for row in rows:
            self.log_change(request, row, f"{word}d.")
        type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).update(
            is_enabled=to
        )
        self.message_of(request, f"{word}d: {', '.join(str(row) for row in rows)}.")
        return None


def switch_question(rows: list[Any], *, to: bool) -> Question:
    """Return the question before offers are switched."""
    count = f"{len(rows)} of them" if len(rows) > 1 else f"“{rows[0]}”"
    if to:
        return Question(
            f"Enable {count}?",
            "From now on members can earn here, within the dates and limits of each. "
            "Activities recorded before are not paid again.",
            "Enable",
            [str(row) for row in rows] if len(rows) > 1 else [],
        )
    return Question(
        f"Disable {count}?",
        "Members earn nothing here from now on. Points already given stay. It can be "
        "enabled again at any time.",
        "Disable",
        [str(row) for row in rows] if len(rows) > 1 else [],
        is_dangerous=True,
    )
