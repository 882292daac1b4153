"""Giving points to a member, or taking them, by hand: two steps, once."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import name_of, points
from loyalty.ledger import InsufficientPoints
from loyalty.models import Member, Wallet
from loyalty.reports import holdings_of
from loyalty.services import clock
from loyalty.services.adjustments import (
    REASON_CHARACTERS_MAX,
    Adjustment,
    adjust_points,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from loyalty.admin.bases import ProgramAdmin

_POINTS_MAX = Decimal(10) ** 9


class AdjustmentForm(forms.Form):
    """How many points move, which way and why."""

    wallet = forms.ModelChoiceField(
        Wallet.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    direction = forms.ChoiceField(
        label="What happens",
        choices=[("give", "The member gets points"), ("take", "Points are taken")],
        initial="give",
        widget=UnfoldAdminRadioSelectWidget,
    )
    points = forms.DecimalField(
        min_value=Decimal("0.0001"),
        max_value=_POINTS_MAX,
        help_text="How many, for example 500.",
        widget=UnfoldAdminDecimalFieldWidget,
    )
    reason = forms.CharField(
        max_length=REASON_CHARACTERS_MAX,
        help_text="It stands in the ledger with your name, for example “goodwill, "
        "complaint 4711”.",
        widget=UnfoldAdminTextInputWidget,
    )
    token = forms.UUIDField(widget=forms.HiddenInput)
    is_sure = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        """Offer the wallets of the member's program."""
        super().__init__(*args, **kwargs)
        wallet: Any = self.fields["wallet"]
        wallet.queryset = Wallet.objects.filter(program=member.program_id)
        self.initial.setdefault("token", str(uuid.uuid4()))

    def clean(self) -> dict[str, Any]:
        """Refuse points finer than the wallet counts."""
        answers = super().clean() or {}
        wallet, amount = answers.get("wallet"), answers.get("points")
        if wallet is not None and amount is not None:
            scaled = amount.scaleb(wallet.decimals)
            if scaled != int(scaled):
                self.add_error(
                    "points",
                    f"The wallet “{wallet}” counts {wallet.decimals} decimals.",
                )
            else:
                is_given = answers.get("direction") == "give"
                answers["amount"] = int(scaled) if is_given else -int(scaled)
        return answers

    def hidden(self) -> AdjustmentForm:
        """Return the same answers to be carried through the question."""
        for field in self.fields.values():
            field.widget = field.hidden_widget()
        self.data = {**self.data.dict(), "is_sure": "yes"}  # type: ignore[attr-defined]
        return self


def adjusting_page(
    request: HttpRequest, member_admin: ProgramAdmin, member: Member
) -> HttpResponse:
    """Return the form, then the question, then post the points once."""
    back = member_admin.address_of("change", member.pk)
    posted = request.POST if is_confirmed(request) else None
    form = AdjustmentForm(posted, member=member)
    if not (is_confirmed(request) and form.is_valid()):
        question = Question(
            f"Adjust the points of {name_of(member)}",
            "For goodwill and corrections. To undo what an activity earned, reverse "
            "the activity instead: caps, budgets and the tier then go back too.",
            "Continue",
        )
        return ask(request, member_admin, question, form=form, back=back, obj=member)
    if not form.cleaned_data["is_sure"]:
        question = _question(member, form.cleaned_data)
        return ask(
            request, member_admin, question, form=form.hidden(), back=back, obj=member
        )
    _post(request, member_admin, member, form.cleaned_data)
    return member_admin.back_to(member)


def _question(member: Member, answers: dict[str, Any]) -> Question:
    wallet, amount = answers["wallet"], answers["amount"]
    held = {one.wallet.pk: one.spendable for one in holdings_of(member, clock.now())}
    before = held.get(wallet.pk, 0)
    text = points(abs(amount), wallet.decimals)
    verb = "Give" if amount > 0 else "Take"
    return Question(
        f"{verb} {text} {wallet} {'to' if amount > 0 else 'from'} {name_of(member)}?",
        f"Spendable now: {points(before, wallet.decimals)}. Afterwards: "
        f"{points(before + amount, wallet.decimals)}. Reason: {answers['reason']}",
        f"{verb} {text}",
        is_dangerous=amount < 0,
    )


def _post(
    request: HttpRequest,
    member_admin: ProgramAdmin,
    member: Member,
    answers: dict[str, Any],
) -> None:
    wallet, amount = answers["wallet"], answers["amount"]
    adjustment = Adjustment(
        member,
        wallet,
        amount,
        answers["reason"],
        request.user.get_username(),
        str(answers["token"]),
    )
    try:
        is_new = adjust_points(adjustment, at=clock.now())
    except InsufficientPoints as refusal:
        available = points(refusal.facts["available"], wallet.decimals)
        text = f"Nothing was taken: only {available} can be spent now."
        member_admin.message_user(request, text, messages.ERROR)
        return
    if not is_new:
        text = "These points were posted already; nothing moved a second time."
        member_admin.message_user(request, text, messages.WARNING)
        return
    text = points(abs(amount), wallet.decimals)
    done = f"{text} {wallet} {'given' if amount > 0 else 'taken'}."
    member_admin.log_change(request, member, f"{done} {answers['reason']}")
    member_admin.message_of(request, done)
