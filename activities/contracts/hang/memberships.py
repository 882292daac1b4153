"""Program memberships: get or create, search, change, traits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema

from activities.contracts.hang.contract import (
    HangView,
    body_of,
    id_in,
    invalid,
    list_in,
    member_number,
    missing,
    object_in,
)
from activities.contracts.hang.documents import (
    BULK_ANSWER,
    BULK_BODY,
    DETAILS_BODY,
    MEMBERSHIP_ANSWER,
    SEARCH_PARAMETERS,
    TRAIT_BODY,
    TRAITS_ANSWER,
)
from loyalty.api.bodies import check_storable
from loyalty.api.contract import answer
from loyalty.engine.moments import InvalidMoment, from_epoch_seconds
from loyalty.models import Member
from loyalty.services import clock
from loyalty.services.joining import change_member, find_or_enrol
from loyalty.services.members import Enrolment, member_with

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

    from loyalty.services.identities import IdentityPair

EXTERNAL = "customer_id"
PHONE = "phone"
TEXT_CHARACTERS_MAX = 255
FAMILY_MAX = 50
TRAITS_MAX = 200
PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
PAGE_MAX = 1_000_000
_TEXTS = ("first_name", "last_name", "email")
_SOCIAL = ("twitter_username", "instagram_username", "tiktok_username")
_BLANKS = re.compile(r"[\s().\-/]+")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_NATIONAL = re.compile(r"[2-9][0-9]{9}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


class Memberships(HangView):
    """All program memberships."""

    @extend_schema(request=DETAILS_BODY, responses={200: MEMBERSHIP_ANSWER})
    def post(self, request: Request) -> HttpResponse:
        """Return the membership with this phone or external user id, made if new.

        One that exists is returned as it is.
        """
        body = body_of(request.data)
        identities = identities_in(body)
        if not identities:
            raise missing()
        fields = {"attributes": attributes_in(body)}

        enrolled = find_or_enrol(self.caller.program_id, Enrolment(identities, fields))

        return _answer(enrolled.member)


class Search(HangView):
    """One program membership by what the client knows it by."""

    @extend_schema(parameters=SEARCH_PARAMETERS, responses={200: MEMBERSHIP_ANSWER})
    def get(self, request: Request) -> HttpResponse:
        """Return the membership with this external user id or phone.

        The parameters are read from a JSON body, which clients of this API send
        with GET, or from the query.
        """
        query = request.query_params.dict()
        check_storable(query)
        sent = {**query, **body_of(request.data)}
        identities = identities_in(sent)
        if not identities:
            raise missing()
        kind, value = identities[0]
        return _answer(member_with(self.caller.program_id, kind, value))


class BulkSearch(HangView):
    """Program memberships by when they were made or changed."""

    reading_actions = ("post",)
    action = "post"

    @extend_schema(request=BULK_BODY, responses={200: BULK_ANSWER})
    def post(self, request: Request) -> HttpResponse:
        """Return a page of the memberships made or changed within a time."""
        body = body_of(request.data)
        size = _count(body, "page_size", PAGE_SIZE, PAGE_SIZE_MAX)
        page = _count(body, "page", 1, PAGE_MAX)
        rows = _filtered(
            Member.objects.filter(program=self.caller.program_id), body.get("filter")
        )
        first = (page - 1) * size
        members = rows.order_by("pk").prefetch_related("identities")
        return answer(
            {
                "memberships": [_row(one) for one in members[first : first + size]],
                "total_records": rows.count(),
            }
        )


class Membership(HangView):
    """One program membership."""

    @extend_schema(request=DETAILS_BODY, responses={200: MEMBERSHIP_ANSWER})
    def patch(self, request: Request, membership_id: str) -> HttpResponse:
        """Change the details that are sent."""
        body = body_of(request.data)
        sent = attributes_in(body)
        member = change_member(
            self.caller.program_id,
            member_number(membership_id),
            lambda known: {**known, **sent},
            now=clock.now(),
            identities=identities_in(body),
        )
        return _answer(member)


class AddTrait(HangView):
    """Traits of a program membership."""

    @extend_schema(request=TRAIT_BODY, responses={200: TRAITS_ANSWER})
    def post(self, request: Request, membership_id: str) -> HttpResponse:
        """Give the membership a trait, or another value of one."""
        name, value = _trait(body_of(request.data))
        return _change_traits(self, membership_id, name, value)


class RemoveTrait(HangView):
    """Traits of a program membership."""

    @extend_schema(request=TRAIT_BODY, responses={200: TRAITS_ANSWER})
    def post(self, request: Request, membership_id: str) -> HttpResponse:
        """Take a trait from the membership; one that it has not is no error."""
        name, _ = _trait(body_of(request.data))
        return _change_traits(self, membership_id, name, None)


def _trait(body: dict[str, Any]) -> tuple[str, str]:
    name = id_in(body.get("trait_name"), "trait_name", TEXT_CHARACTERS_MAX)
    return name, id_in(body.get("trait_value"), "trait_value", TEXT_CHARACTERS_MAX)


def _change_traits(
    view: HangView, membership_id: str, name: str, value: str | None
) -> HttpResponse:
    def changed(known: dict[str, Any]) -> dict[str, Any]:
        traits = {key: text for key, text in _traits(known).items() if key != name}
        if value is not None:
            traits[name] = value
        if len(traits) > TRAITS_MAX:
            words = f"a membership has at most {TRAITS_MAX} traits."
            raise invalid("trait_name", words)
        return {**known, "traits": traits}

    member = change_member(
        view.caller.program_id,
        member_number(membership_id),
        changed,
        now=clock.now(),
    )
    told = _traits(member.attributes).items()
    return answer({"traits": [{"name": key, "value": text} for key, text in told]})


def _traits(attributes: dict[str, Any]) -> dict[str, str]:
    found = attributes.get("traits")
    return found if isinstance(found, dict) else {}


def identities_in(body: dict[str, Any]) -> list[IdentityPair]:
    """Return the phone and the external user id that a body names.

    Raises:
        Problem: 400; a phone that is none, or an id that is too long.
    """
    found = []
    if body.get("external_user_id") not in (None, ""):
        text = id_in(body["external_user_id"], "external_user_id", TEXT_CHARACTERS_MAX)
        found.append((EXTERNAL, text))
    if body.get("phone") not in (None, ""):
        found.append((PHONE, phone_in(body["phone"])))
    return found


def phone_in(value: Any) -> str:
    """Return a phone number in E.164; without a country it is of the US.

    >>> phone_in("(555) 555-1234")
    '+15555551234'
    """
    text = _BLANKS.sub("", id_in(value, "phone", 40))
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if _NATIONAL.fullmatch(text):
        text = f"+1{text}"
    elif text.startswith("1") and _NATIONAL.fullmatch(text[1:]):
        text = f"+{text}"
    if not _INTERNATIONAL.fullmatch(text):
        raise invalid("phone", "write it like +17891234567.")
    return text


def attributes_in(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a body says of the person; members without a value are left out."""
    found: dict[str, Any] = {}
    for name in _TEXTS:
        if body.get(name) not in (None, ""):
            found[name] = id_in(body[name], name, TEXT_CHARACTERS_MAX)
    if body.get("birthday") not in (None, ""):
        found["birthday"] = _day(body["birthday"], "birthday")
    if body.get("family_member_birthdays") not in (None, ""):
        found["family_member_birthdays"] = _family(body["family_member_birthdays"])
    return found


def _family(value: Any) -> list[dict[str, str]]:
    name = "family_member_birthdays"
    rows = list_in(value, name)
    if len(rows) > FAMILY_MAX:
        raise invalid(name, f"at most {FAMILY_MAX} members.")
    return [_relative(row, f"{name}[{place}]") for place, row in enumerate(rows)]


def _relative(value: Any, name: str) -> dict[str, str]:
    row = object_in(value, name)
    last = row.get("last_name")
    status = id_in(row.get("status"), f"{name}.status", 10)
    if status not in {"active", "inactive"}:
        raise invalid(f"{name}.status", "“active” or “inactive” is expected.")
    return {
        "first_name": id_in(
            row.get("first_name"), f"{name}.first_name", TEXT_CHARACTERS_MAX
        ),
        "last_name": ""
        if last in (None, "")
        else id_in(last, f"{name}.last_name", TEXT_CHARACTERS_MAX),
        "birth_date": _day(row.get("birthday"), f"{name}.birthday"),
        "status": status,
    }


def _day(value: Any, name: str) -> str:
    text = id_in(value, name, 10)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass  # no day of the calendar
    raise invalid(name, "write it as YYYY-MM-DD.")


def _count(body: dict[str, Any], name: str, usual: int, most: int) -> int:
    value = body.get(name)
    if value is None or value == "":
        return usual
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise invalid(name, "a number is expected.")
    if not _SECONDS.fullmatch(str(value)) or not 1 <= int(value) <= most:
        raise invalid(name, f"a number from 1 to {most:,} is expected.")
    return int(value)


def _filtered(rows: QuerySet[Member], value: Any) -> QuerySet[Member]:
    if value is None or value == "":
        return rows
    wanted = object_in(value, "filter")
    for name, column in (("created", "enrolled_at"), ("updated", "updated_at")):
        if wanted.get(name) not in (None, ""):
            start, end = _span(wanted[name], f"filter.{name}")
            if start is not None:
                rows = rows.filter(**{f"{column}__gte": start})
            if end is not None:
                rows = rows.filter(**{f"{column}__lt": end})
    return rows


def _span(value: Any, name: str) -> tuple[datetime | None, datetime | None]:
    span = object_in(value, name)
    start = _moment(span.get("start"), f"{name}.start")
    end = _moment(span.get("end"), f"{name}.end")
    if start is not None and end is not None and start >= end:
        raise invalid(name, "the start must be before the end.")
    return start, end


def _moment(value: Any, name: str) -> datetime | None:
    if value is None or value == "":
        return None
    if value in (0, "0"):
        # Since ever: clients that ask for all start here.
        return datetime.fromtimestamp(0, tz=UTC)
    try:
        return from_epoch_seconds(value).at
    except InvalidMoment as error:
        raise invalid(name, str(error)) from None


def _answer(member: Member) -> HttpResponse:
    known = _known(member)
    social = member.attributes.get("social_media_credentials")
    social = social if isinstance(social, dict) else {}
    return answer(
        {
            "membership": {
                "id": str(member.pk),
                "external_user_id": known.get(EXTERNAL),
                "created_at": int(member.enrolled_at.timestamp()),
                "magic_link": None,
                "social_media_credentials": {one: social.get(one) for one in _SOCIAL},
                "family_member_birthdays": member.attributes.get(
                    "family_member_birthdays", []
                ),
            }
        }
    )


def _row(member: Member) -> dict[str, Any]:
    known = _known(member)
    changed = member.updated_at or member.enrolled_at
    return {
        "id": str(member.pk),
        "phone": known.get(PHONE),
        "external_user_id": known.get(EXTERNAL),
        "magic_link": None,
        "created_at": int(member.enrolled_at.timestamp()),
        "updated_at": int(max(changed, member.enrolled_at).timestamp()),
    }


def _known(member: Member) -> dict[str, str]:
    """Return the member's first identity of each kind."""
    found: dict[str, str] = {}
    for one in sorted(member.identities.all(), key=lambda row: row.pk):
        found.setdefault(one.kind, one.value)
    return found


_ALL = "partner-api/v2/program-memberships"
urlpatterns = [
    path(_ALL, Memberships.as_view()),
    path(f"{_ALL}/search", Search.as_view()),
    path(f"{_ALL}/bulk-search", BulkSearch.as_view()),
    path(f"{_ALL}/<str:membership_id>", Membership.as_view()),
    path(f"{_ALL}/<str:membership_id>/add-trait", AddTrait.as_view()),
    path(f"{_ALL}/<str:membership_id>/remove-trait", RemoveTrait.as_view()),
]
