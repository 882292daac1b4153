"""The reward methods of a campaign, as rows on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from campaigns.admin.campaign_form import CurrenciesField, take_wallet
from campaigns.models import RewardMethod
from campaigns.reports import standings_of
from campaigns.services import composing
from loyalty.admin.bases import ProgramChoices
from loyalty.admin.deleting import QuickDeleteInline
from loyalty.admin.formatting import number
from loyalty.admin.offers import ask_which_voucher
from loyalty.engine.facts import OfferKind, RewardKind
from loyalty.models import Offer, Weekday

if TYPE_CHECKING:
    from django.db.models import Field, QuerySet
    from django.http import HttpRequest

    from campaigns.reports import Standing

_NAMES = {
    RewardKind.NOTHING.value: "Nothing (a blank)",
    RewardKind.FIXED.value: "A fixed number of points",
}


class MethodForm(forms.ModelForm):
    """One reward method; points go to the campaign's wallet unless it says another."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None ticked: every day.",
    )
    currencies = CurrenciesField(required=False, help_text="For example EUR, CHF.")

    class Meta:
        labels = {
            "reward_method": "Gives",
            "is_enabled": "Enabled",
            "weight": "Chance",
            "cap_count": "At most per member",
            "frequency_period": "In",
            "usage_limit": "In stock",
            "usage_cost": "Price in points",
            "usage_cost_wallet": "Paid from",
            "minimum_tier": "From tier",
            "wallet": "Into wallet",
            "per_value": "For each",
            "redeem_group": "For products",
            "distribution": "For the basket",
        }
        help_texts = {
            "name": "For staff, for example “Jackpot”.",
            "reward_method": "",
            "points": "",
            "per_value": "Unit of value: 5 points for each 2.50.",
            "voucher_type": "",
            "wallet": "Empty: the campaign's.",
            "weight": "Against the others: 1 of 10 in all is 10 %. 0 never wins.",
            "usage_limit": "For all members together. Empty: no limit.",
            "cap_count": "Empty: no limit.",
            "frequency_period": "The time that the limit is for.",
            "usage_cost": "Only where members interact. In a draw without a price of "
            "its own the highest of these counts.",
            "usage_cost_wallet": "Empty: the campaign's wallet.",
            "is_enabled": "",
            "starts_at": "Empty: with the campaign.",
            "ends_at": "Empty: with the campaign.",
            "minimum_tier": "",
            "included_segments": "Only members of any of these. Empty: everyone.",
            "qualify_groups": "Groups of products. Empty: nothing in particular.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what one method can give; its wallet may stay empty."""
        super().__init__(*args, **kwargs)
        self.instance.kind = OfferKind.REWARD_METHOD.value
        if "wallet" in self.fields:
            self.fields["wallet"].required = False
        field: Any = self.fields.get("reward_method")
        if field is not None:
            field.choices = [
                (value, _NAMES.get(value, text))
                for value, text in field.choices
                if value != RewardKind.METHODS.value
            ]

    def clean(self) -> dict[str, Any] | None:
        """Take the campaign's wallet where none was chosen."""
        cleaned = super().clean()
        wallet = getattr(self.instance.parent, "wallet", None)
        if cleaned is not None:
            if cleaned.get("wallet") is None:
                cleaned["wallet"] = wallet
            take_wallet(cleaned, "usage_cost", wallet)
        ask_which_voucher(self)
        return cleaned


class MethodFormSet(PaginationInlineFormSet):
    """The rows, looked at together: some can only be wrong beside the others."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.parent = self.instance
        form.instance.program_id = self.instance.program_id
        return form

    def get_queryset(self) -> Any:
        """Return the rows, each with what its heading tells."""
        if not hasattr(self, "_told"):
            rows = list(super().get_queryset())
            if self.instance.pk is not None:
                for standing in standings_of(self.instance, rows):
                    # What the heading of a row is made from, if its model has it.
                    vars(standing.method)["get_inline_title"] = heading_of(standing)
            self._told = True
        return super().get_queryset()

    def clean(self) -> None:
        """Refuse what does not go together."""
        super().clean()
        if any(form.errors for form in self.forms) or not self.instance.name:
            return
        kept = [form for form in self.forms if self._is_kept(form)]
        parts = [_part(form) for form in kept]
        campaign = composing.Part(self.instance, {})
        for one in composing.problems_of_methods(campaign, parts):
            self._blame(one, kept)

    def _is_kept(self, form: Any) -> bool:
        is_there = form.has_changed() or form.instance.pk is not None
        return is_there and not (self.can_delete and self._should_delete_form(form))

    def _blame(self, one: composing.Misfit, kept: list[Any]) -> None:
        if len(one.path) == 3:
            form, name = kept[int(one.path[1])], str(one.path[2])
            form.add_error(name if name in form.fields else None, one.sentence)
            return
        self._non_form_errors.append(one.sentence)


def _part(form: Any) -> composing.Part:
    links = {name: list(form.cleaned_data.get(name) or ()) for name in _LINKS}
    return composing.Part(form.instance, links)


_LINKS = composing.METHOD_LINKS


def heading_of(standing: Standing) -> str:
    """Return a method's name, its chance now, what was given and what is left."""
    phrases = [] if standing.method.is_enabled else ["disabled"]
    if standing.chance is not None:
        phrases.append(f"chance now {percent(standing.chance)}")
    if standing.left is not None:
        phrases.append(f"{number(standing.left)} left")
    phrases.append(f"given {number(standing.given)} times")
    return f"{standing.method.name} · {', '.join(phrases)}"


def percent(chance: float) -> str:
    """Return a chance in percent, with as many digits as tell it from nothing.

    >>> percent(0.5), percent(0.0333333), percent(0.00001), percent(0)
    ('50 %', '3.33 %', '0.001 %', '0 %')
    """
    text = f"{chance * 100:.2f}" if chance >= 0.0001 else f"{chance * 100:.3g}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


class MethodInline(QuickDeleteInline, ProgramChoices, StackedInline):
    """What the campaign gives, each with its own chance, stock and conditions."""

    model = RewardMethod
    fk_name = "parent"
    form = MethodForm
    formset = MethodFormSet
    verbose_name = "reward method"
    verbose_name_plural = "Reward methods"
    extra = 0
    tab = True
    collapsible = True
    compressed_fields = True
    # Stands for the end on the pages of people who may only look.
    readonly_fields = ("last_day", "times_the_base")
    autocomplete_fields = (
        "included_segments",
        "excluded_segments",
        "qualify_groups",
    )
    fieldsets = (
        (
            None,
            {
                "classes": ("loyalty-methods",),
                "fields": (
                    "name",
                    "reward_method",
                    "points",
                    "per_value",
                    "multiplier",
                    "voucher_type",
                    "wallet",
                    "weight",
                    "usage_limit",
                    "is_enabled",
                ),
            },
        ),
        (
            "Shown to members",
            {"classes": ("collapse",), "fields": ("title", "details", "image_url")},
        ),
        (
            "Limit per member and price",
            {
                "classes": ("collapse",),
                "fields": (
                    "cap_count",
                    "frequency_period",
                    "usage_cost",
                    "usage_cost_wallet",
                ),
            },
        ),
        (
            "Only for some members or times",
            {
                "classes": ("collapse",),
                "fields": (
                    "included_segments",
                    "excluded_segments",
                    "minimum_tier",
                    "starts_at",
                    "ends_at",
                    "weekdays",
                    "opens_at",
                    "closes_at",
                ),
            },
        ),
        (
            "Only for some baskets",
            {
                "classes": ("collapse", "loyalty-of-baskets"),
                "fields": (
                    "redeem_group",
                    "distribution",
                    "qualify_groups",
                    "minimum_value",
                    "maximum_value",
                    "business_units",
                    "currencies",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("wallet", "voucher_type")
        return rows.prefetch_related(*_LINKS).order_by("pk")

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Offer the methods of reward without their word for the whole offer."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.model is Offer:
            # Adding and changing related rows is for their own pages.
            widget: Any = field.widget
            for button in ("can_add_related", "can_change_related"):
                if hasattr(widget, button):
                    setattr(widget, button, False)
        return field
