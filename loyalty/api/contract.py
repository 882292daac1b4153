"""What the contracts of vendors share: who calls, how bodies and errors read.

A contract module defines one ``Contract`` and its views::

    CONTRACT = Contract("hang", "Hang", ("/partner-api/",), envelope, ERROR)

    class Activities(ContractView):
        contract = CONTRACT
        keys = (in_header("X-API-Key"),)
        refusals = {UnknownMember: Refusal(404, "Could not find …")}

        def post(self, request: Request, membership_id: str) -> HttpResponse:
            …
            return answer({"idempotency_key": key})

    urlpatterns = [path("partner-api/…", Activities.as_view())]

and stands in ``contracts/urls.py``, which tells the edge. From then on everything
under the prefixes that is not a success, be it an unknown path, a bad key or a
bug, is answered by ``envelope``. Views raise ``Problem`` or ``LoyaltyError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.views import APIView

from loyalty.api import browsers, edge
from loyalty.api.authentication import CHALLENGE, CLIENT, Caller, caller_of
from loyalty.api.bodies import StrictJsonParser
from loyalty.api.exceptions import problem_of
from loyalty.api.permissions import HasScope
from loyalty.api.problems import Problem
from loyalty.api.query_keys import key_in
from loyalty.api.rendering import JsonRenderer, json_bytes
from loyalty.api.throttling import KeyThrottle
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rest_framework.parsers import BaseParser
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request

# Renders a problem as the vendor would; may choose another status.
Envelope = Callable[[Problem, HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Contract:
    """One vendor's API as this system speaks it.

    ``name`` is the source of its activities, ``title`` heads its operations in the
    OpenAPI document. ``prefixes`` are the paths it answers alone, each from ``/``
    to ``/``; the longest that fits counts. ``error_schema`` is the JSON schema of
    what ``envelope`` writes. ``headers`` stand in every answer, whatever it is;
    with ``is_for_browsers`` scripts of any site may call (CORS).
    """

    name: str
    title: str
    prefixes: tuple[str, ...]
    envelope: Envelope
    error_schema: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_for_browsers: bool = False


class Refusal(NamedTuple):
    """How a vendor words one refusal: status, words, and its code if it has codes."""

    status: int
    words: str
    code: str = ""


Refusals = Mapping[type[LoyaltyError], Refusal]


def refusal_of(refusals: Refusals, error: LoyaltyError) -> Refusal:
    """Return the vendor's words for ``error``: its own row, or that of a base class.

    Raises:
        KeyError: the table has no row for it; that is a bug.
    """
    for kind in type(error).__mro__:
        if kind in refusals:
            return refusals[kind]
    raise KeyError(error.code)


def serve(*contracts: Contract) -> None:
    """Let the edge answer under the contracts' prefixes in their envelopes."""
    for contract in contracts:
        for prefix in contract.prefixes:
            headers = {**contract.headers}
            if contract.is_for_browsers:
                headers |= browsers.OPEN
            manner = edge.Manner(contract.envelope, headers, contract.is_for_browsers)
            edge.answer_under(prefix, manner)


def answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return a JSON answer; names of members are left as they are."""
    return HttpResponse(
        json_bytes(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


class SentKey(NamedTuple):
    """A place where clients put their key: a header or a query parameter.

    With a ``scheme`` the header reads ``<scheme> <key>``.
    """

    place: str
    name: str
    scheme: str = ""

    def read(self, request: Request) -> str | None:
        """Return the key that stands there; None if none does."""
        if self.place == "query":
            return key_in(request._request, self.name)
        text = request.META.get(f"HTTP_{self.name.upper().replace('-', '_')}")
        if text is None or not self.scheme:
            return None if text is None else str(text).strip()
        scheme, _, credentials = str(text).partition(" ")
        is_ours = scheme.lower() == self.scheme.lower()
        return credentials.strip() if is_ours else None


BEARER = SentKey("header", "Authorization", "Bearer")


def in_header(name: str, scheme: str = "") -> SentKey:
    """Return the place of a key that is sent in the header ``name``."""
    return SentKey("header", name, scheme)


def in_query(name: str) -> SentKey:
    """Return the place of a key that is sent as the query parameter ``name``."""
    return SentKey("query", name)


class ContractAuthentication(BaseAuthentication):
    """Finds the caller by the first place that holds a key.

    ``prefix`` tells its places from those of others in the OpenAPI document.
    """

    prefix: ClassVar[str] = ""

    def __init__(
        self, keys: Sequence[SentKey], identify: Callable[[str], Caller]
    ) -> None:
        """Keep where to look and who tells whose a key is."""
        self.keys = tuple(keys)
        self._identify = identify

    def authenticate(self, request: Request) -> tuple[Any, Caller]:
        """Return the caller.

        Raises:
            Problem: 401; ``missing_key``, ``unknown_key``, ``revoked_key``,
                ``expired_key`` or ``program_disabled``.
        """
        for place in self.keys:
            key = place.read(request)
            if key is not None:
                return CLIENT, self._identify(key)
        headers = {"WWW-Authenticate": CHALLENGE}
        raise Problem(401, "missing_key", "Send an API key.", headers=headers)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


class ContractNegotiation(BaseContentNegotiation):
    """Vendors write JSON whatever is asked for; a body without a type is JSON."""

    def select_parser(
        self, request: Request, parsers: Iterable[BaseParser]
    ) -> BaseParser | None:
        """Return the parser of the body's type; None if the vendor reads no such."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        fitting = (one for one in parsers if sent in {"", one.media_type})
        return next(fitting, None)

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer there is."""
        return renderers[0], renderers[0].media_type


class ContractView(APIView):
    """A path of a vendor's API.

    Reading (GET) needs the key's read scope, everything else its write scope.
    ``request.data`` is the body: JSON by the strict reader (numbers other than
    short integers are ``NumberText``), or a ``QueryDict`` where ``parser_classes``
    adds forms. Errors come in the vendor's envelope, which handlers may leave to
    the base: they raise.
    """

    contract: ClassVar[Contract]
    #: Where the key may stand; the first place that has one counts.
    keys: ClassVar[Sequence[SentKey]] = (BEARER,)
    #: The vendor's words for every refusal of the use cases called.
    refusals: ClassVar[Refusals] = {}

    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    parser_classes = [StrictJsonParser]
    renderer_classes = [JsonRenderer]
    content_negotiation_class = ContractNegotiation
    # No OPTIONS: vendors describe nothing.
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    @property
    def caller(self) -> Caller:
        """Return who calls."""
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise TypeError("No view runs without a caller.")
        return caller

    def identify(self, key: str) -> Caller:
        """Return whose key it is; override where other credentials are taken too.

        Raises:
            Problem: 401.
        """
        return caller_of(key)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the one that looks into ``keys``."""
        return [ContractAuthentication(self.keys, self.identify)]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse bad keys, missing scopes, and paths that no row can have."""
        super().initial(request, *args, **kwargs)
        if any("\0" in str(part) for part in kwargs.values()):
            raise Problem(404, "not_found", "There is no such path.")

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Return the vendor's answer; a bug goes on to the edge, which notes it."""
        problem = self.problem_of(exc)
        if problem is None:
            raise exc
        return self.contract.envelope(problem, self.request)

    def problem_of(self, exc: Exception) -> Problem | None:
        """Return what an exception means in the vendor's words; None for a bug."""
        if isinstance(exc, LoyaltyError):
            refusal = refusal_of(self.refusals, exc)
            return Problem(refusal.status, refusal.code or exc.code, refusal.words)
        return problem_of(exc, self)
