"""The search box of the menu: pages, members, campaigns, activities, vouchers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import admin
from django.template.response import TemplateResponse

from activities.models import Activity
from campaigns.models import Campaign, Quest
from loyalty.admin.formatting import name_of, page_of
from loyalty.admin.searching import TooMany, members_like
from loyalty.admin.working_program import working_program
from loyalty.models import Member, Voucher
from loyalty.services.identities import identities_called

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from loyalty.models import Program

_EACH = 6
_LONGEST = 200


class Hit(NamedTuple):
    """One line of the answer: where it leads and what it is."""

    title: str
    description: str
    link: str


def find(request: HttpRequest) -> TemplateResponse:
    """Return what a text finds in the program worked in, as far as one may see it."""
    term = request.GET.get("s", "").strip()[:_LONGEST].replace("\x00", "")
    hits: list[Hit] = []
    problem = ""
    if term:
        hits = list(_pages(request, term))
        program = working_program(request)
        if program is not None:
            try:
                hits += _rows(request, program, term)
            except TooMany as refusal:
                problem = str(refusal)
    return TemplateResponse(
        request,
        "admin/loyalty/search_results.html",
        {"hits": hits, "term": term, "problem": problem},
        headers={"HX-Trigger": "search"},
    )


def _pages(request: HttpRequest, term: str) -> Iterator[Hit]:
    site: Any = admin.site
    for group in site.get_sidebar_list(request):
        for item in group["items"]:
            title = str(item["title"])
            if item.get("has_permission") and term.lower() in title.lower():
                link = str(item.get("link_callback") or item["link"])
                yield Hit(title, "Page", link)


def _rows(request: HttpRequest, program: Program, term: str) -> list[Hit]:
    hits: list[Hit] = []
    if _may(request, "loyalty", "member"):
        hits += _members(program, term)
    if _may(request, "campaigns", "campaign"):
        rows = Campaign.objects.filter(program=program, name__icontains=term)
        hits += [Hit(one.name, "Campaign", page_of(one)) for one in rows[:_EACH]]
    if _may(request, "campaigns", "quest"):
        quests = Quest.objects.filter(program=program, name__icontains=term)
        hits += [Hit(one.name, "Quest", page_of(one)) for one in quests[:_EACH]]
    if _may(request, "activities", "activity"):
        found = Activity.objects.filter(program=program, key=term)
        hits += [
            Hit(one.key, f"Activity, {one.activity_type}", page_of(one))
            for one in found.select_related("activity_type").order_by("-pk")[:_EACH]
        ]
    if _may(request, "loyalty", "voucher"):
        vouchers = Voucher.objects.filter(program=program, code__in=_spellings(term))
        hits += [
            Hit(one.code, f"Voucher, {one.voucher_type}", page_of(one))
            for one in vouchers.select_related("voucher_type")[:_EACH]
        ]
    return hits


def _members(program: Program, term: str) -> list[Hit]:
    exact = Member.objects.filter(
        program=program,
        pk__in=identities_called(program.pk, term).values("member"),
    )
    found = list(exact.prefetch_related("identities")[:_EACH])
    if len(found) < _EACH:
        known = [one.pk for one in found]
        found += members_like(program.pk, term, _EACH - len(found), known)
    return [Hit(name_of(one), "Member", page_of(one)) for one in found]


def _spellings(code: str) -> list[str]:
    return list({code, code.upper(), code.lower()})


def _may(request: HttpRequest, app: str, model: str) -> bool:
    return any(
        request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change")
    )
