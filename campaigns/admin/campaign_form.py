"""The form of a campaign: its fields by the questions of marketing."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.models import construct_instance
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.services import composing
from loyalty.admin.offers import REWARD_CONDITIONS, OfferForm
from loyalty.engine.facts import OfferKind
from loyalty.models import Weekday

if TYPE_CHECKING:
    from campaigns.models import Campaign

# Relations by which a campaign is told in words, prefetched for lists.
LINKS = (*composing.CAMPAIGN_LINKS, "methods__voucher_type", "methods__wallet")


class CopyForm(forms.Form):
    """What the copy of a campaign is called."""

    name = forms.CharField(
        max_length=200,
        help_text="For staff, for example with the new month in it.",
        widget=UnfoldAdminTextInputWidget,
    )


class CurrenciesField(forms.CharField):
    """ISO codes of currencies, with commas between them."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Return the codes as people write them."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        """Return the codes in capitals, each once."""
        text = super().clean(value) or ""
        codes = [code.strip().upper() for code in text.replace(";", ",").split(",")]
        return list(dict.fromkeys(code for code in codes if code))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether other codes were written."""
        return super().has_changed(self.prepare_value(initial or []), data)


class CampaignForm(OfferForm):
    """The campaign's form: weekdays as boxes, a single wallet chosen already."""

    kind = OfferKind.CAMPAIGN
    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only on these days, in the program's zone. None ticked: every day.",
    )
    currencies = CurrenciesField(
        required=False,
        help_text="Only activities in these, for example EUR, CHF. Empty: any.",
    )

    class Meta:
        labels = {
            "item_list": "Product list",
            "holdout_percent": "Held out, percent",
            "context": "What sets it off",
            "handling": "Of its reward methods",
            "business_unit": "Booked under",
            "business_units": "Only baskets of",
            "qualify_groups": "The basket must hold",
            "point_cost": "Price of an interaction",
            "point_cost_wallet": "Paid from",
            "owner_code": "Owner's code",
        }
        help_texts = {
            "name": "For staff, as it stands in lists and explanations.",
            "context": "Fixed once the campaign is saved.",
            "code": "Optional: the name that other systems use for this campaign.",
            "owner_code": "Optional: the retailer's own code; it is only kept.",
            "business_unit": "The points are booked under it, and only activities of "
            "this unit, or of none, count. Empty: every unit.",
            "business_units": "Only activities of any of these units, or of none. "
            "Empty: every unit.",
            "minimum_value": "Activities worth less earn nothing here. In the "
            "program's currency; empty: no lowest value.",
            "maximum_value": "Activities worth more earn nothing here; one of exactly "
            "this value still counts. Empty: no highest value.",
            "item_list": "Only activities with a product on this list. Points per "
            "unit of matching items count these products alone. Empty: any product.",
            "point_cost": "In points, charged before anything is drawn or given: 450 "
            "for a scratch card. In a draw this is the whole price; otherwise the "
            "prices of the reward methods that are given come on top. Empty: free.",
            "point_cost_wallet": "Empty: the wallet where the points go.",
            "reward_method": "One reward, or several reward methods: these have a tab "
            "of their own.",
            "handling": "Give every reward method that applies, or draw one of them by "
            "chance.",
            "holdout_percent": "So many of the members above get nothing from this "
            "campaign, for example 10: chosen by chance, once and for all. Comparing "
            "them with the others later shows what the campaign changed. Fixed once "
            "the campaign has given something. Empty: nobody is held out.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start a new campaign switched off, so that nothing is paid by mistake."""
        super().__init__(*args, **kwargs)
        self._was_enabled = self.instance.pk is not None and self.instance.is_enabled
        if self.instance.pk is None:
            self.initial.setdefault("is_enabled", False)
        elif "context" in self.fields:
            # Shown greyed rather than as text: other fields depend on it.
            self.fields["context"].disabled = True

    def clean(self) -> dict[str, Any] | None:
        """Refuse what does not go together, each where it stands."""
        cleaned = super().clean()
        if cleaned is not None:
            take_wallet(cleaned, "point_cost", cleaned.get("wallet"))
        for one in composing.problems_of_campaign(self.candidate()):
            name = str(one.path[0])
            self.add_error(name if name in self.fields else None, one.sentence)
        return cleaned

    @property
    def turns_on(self) -> bool:
        """Return whether saving enables what was not enabled before."""
        return self.instance.is_enabled and not self._was_enabled

    def candidate(self) -> composing.Part:
        """Return the campaign as it would be saved, with what it would be linked to."""
        row: Campaign = construct_instance(self, copy(self.instance), self.fields)
        links = composing.links_of(self.instance)
        chosen = {
            name: list(rows)
            for name, rows in self.cleaned_data.items()
            if name in links and rows is not None
        }
        return composing.Part(row, {**links, **chosen})


def take_wallet(cleaned: dict[str, Any], price: str, wallet: Any) -> None:
    """Let a price be paid from a wallet where nobody said from which."""
    name = f"{price}_wallet"
    if cleaned.get(price) is not None and cleaned.get(name) is None:
        cleaned[name] = wallet


def _is(field: str, *words: str) -> str:
    """Return the condition that a field has one of some values, or is not there."""
    return f"(typeof {field} == 'undefined' || {list(words)}.includes({field}))"


def _unless_empty(field: str, condition: str) -> str:
    """Return the condition, or that something stands in the field: it must be seen."""
    filled = f"(typeof {field} != 'undefined' && ({field} || '').length > 0)"
    return f"{condition} || {filled}"


_OF_ACTIVITIES = ("activity", "basket")
_SET_OFF = ("activity", "basket", "interaction")
_BY_CONTEXT = {
    "activity_types": _OF_ACTIVITIES,
    "channels": _OF_ACTIVITIES,
    "item_list": _OF_ACTIVITIES,
    "qualify_groups": _OF_ACTIVITIES,
    "minimum_value": _OF_ACTIVITIES,
    "maximum_value": _OF_ACTIVITIES,
    "business_units": _OF_ACTIVITIES,
    "currencies": _OF_ACTIVITIES,
    "point_cost": ("interaction",),
    "included_segments": _SET_OFF,
    "excluded_segments": _SET_OFF,
    "minimum_tier": _SET_OFF,
    "holdout_percent": _SET_OFF,
    "points_budget": _SET_OFF,
    "awards_budget": _SET_OFF,
    "cap_count": _SET_OFF,
}
CONDITIONS = {
    **REWARD_CONDITIONS,
    **{
        name: _unless_empty(name, _is("context", *contexts))
        for name, contexts in _BY_CONTEXT.items()
    },
    "point_cost_wallet": _unless_empty(
        "point_cost_wallet", _is("context", "interaction")
    ),
    "voucher_type": _unless_empty("voucher_type", _is("reward_method", "voucher")),
    "handling": _is("reward_method", "methods") + " || handling == 'random_draw'",
    "required_attempts": _is("context", *_OF_ACTIVITIES) + " || required_attempts > 1",
    "exclusive_group": _is("context", *_OF_ACTIVITIES),
    "priority": _is("context", *_OF_ACTIVITIES),
}


def _tab(name: str, *fields: Any, **options: Any) -> tuple[str, dict[str, Any]]:
    return name, {"classes": ("tab",), "fields": fields, **options}


FIELDSETS = (
    _tab(
        "What",
        "program",
        "name",
        "is_enabled",
        "context",
        "activity_types",
        "item_list",
        "qualify_groups",
        "minimum_value",
        "maximum_value",
        "group",
        "code",
        "owner_code",
        "description",
    ),
    _tab("When", "starts_at", "ends_at", "weekdays", "opens_at", "closes_at"),
    _tab(
        "Who",
        "included_segments",
        "excluded_segments",
        "minimum_tier",
        "holdout_percent",
        description="With a segment or a tier the points are booked as Targeted, "
        "otherwise as Bonus.",
    ),
    _tab("Where", "business_units", "channels", "currencies", "business_unit"),
    _tab(
        "Reward",
        "point_cost",
        "point_cost_wallet",
        "reward_method",
        "handling",
        "voucher_type",
        "points",
        "per_value",
        "multiplier",
        "wallet",
    ),
    _tab(
        "Limits",
        "cap_count",
        "frequency_period",
        "required_attempts",
        "points_budget",
        "awards_budget",
        "budget_policy",
        "exclusive_group",
        "priority",
        "points_given",
        "budget_used",
    ),
)
