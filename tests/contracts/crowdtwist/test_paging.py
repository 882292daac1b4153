"""Pages: every row of the table of page numbers, sizes and links."""

import math
from urllib.parse import parse_qs, urlsplit

import pytest

from loyalty.models import ActivityType
from tests.builders import wallet_of
from tests.contracts.crowdtwist.client import HOST, listed

pytestmark = pytest.mark.django_db

CATALOGUE = "/v2.1/activities/extended"
TOTAL = 23


@pytest.fixture
def numbered(program):
    """23 types, called 1 to 23."""
    fill(program, TOTAL)


def fill(program, count):
    wallet = wallet_of(program)
    for number in range(1, count + 1):
        ActivityType.objects.create(
            program=program, wallet=wallet, code=f"T{number}", name=str(number)
        )


def links(response):
    """Return the numbers of the pages that are linked: next, previous."""
    paging = response.json()["paging"]
    assert paging["prev_page"] == paging["previous_page"]
    return page_in(paging["next_page"]), page_in(paging["prev_page"])


def page_in(link):
    return None if link is None else int(parse_qs(urlsplit(link).query)["page"][0])


def names(first, last):
    return [str(number) for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("query", "rows", "next_number", "previous_number"),
    [
        pytest.param("", names(1, 10), 2, None, id="absent"),
        pytest.param("?page=1", names(1, 10), 2, None, id="the first"),
        pytest.param("?page=2", names(11, 20), 3, 1, id="in the middle"),
        pytest.param("?page=3", names(21, 23), None, 2, id="the last"),
        pytest.param("?page=0", [], 1, None, id="zero"),
        pytest.param("?page=-0", [], 1, None, id="minus zero"),
        pytest.param("?page=-7", [], 1, None, id="below zero"),
        pytest.param("?page=4", [], None, 3, id="beyond"),
        pytest.param(f"?page={'9' * 5000}", [], None, 3, id="far beyond"),
        pytest.param(f"?page=-{'9' * 5000}", [], 1, None, id="far below"),
        pytest.param("?page=abc", names(1, 10), 2, None, id="a word"),
        pytest.param("?page=", names(1, 10), 2, None, id="empty"),
        pytest.param("?page=1.5", names(1, 10), 2, None, id="a fraction"),
        pytest.param("?page=%2B2", names(1, 10), 2, None, id="a plus sign"),
        pytest.param("?page=%202", names(1, 10), 2, None, id="a blank"),
        pytest.param("?page=2%00", names(1, 10), 2, None, id="NUL"),
        pytest.param("?page=%D9%A2", names(1, 10), 2, None, id="another script"),
        pytest.param("?page=1e1", names(1, 10), 2, None, id="an exponent"),
    ],
)
def test_t09_t10_a_page_is_never_an_error(
    numbered, crowdtwist, query, rows, next_number, previous_number
):
    response = crowdtwist.get(f"{CATALOGUE}{query}")

    assert listed(response) == rows
    assert links(response) == (next_number, previous_number)


@pytest.mark.parametrize("page", ["", "?page=0", "?page=1", "?page=2", "?page=abc"])
def test_an_empty_list_has_no_pages_and_no_links(crowdtwist, page):
    response = crowdtwist.get(f"{CATALOGUE}{page}")

    assert response.json() == {
        "paging": {
            "total": 0,
            "pages": 0,
            "next_page": None,
            "prev_page": None,
            "previous_page": None,
        },
        "activities": [],
    }


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        pytest.param("", 10, id="absent"),
        pytest.param("page_size=1", 1, id="the smallest"),
        pytest.param("page_size=7", 7, id="as given"),
        pytest.param("page_size=25", 25, id="the largest"),
        pytest.param("page_size=26", 25, id="larger"),
        pytest.param(f"page_size={'9' * 5000}", 25, id="much larger"),
        pytest.param("page_size=0", 10, id="zero"),
        pytest.param("page_size=-3", 10, id="below zero"),
        pytest.param("page_size=ten", 10, id="a word"),
        pytest.param("page_size=", 10, id="empty"),
    ],
)
def test_t11_the_size_of_a_page(program, crowdtwist, sent, size):
    fill(program, 27)

    response = crowdtwist.get(f"{CATALOGUE}?{sent}")

    assert len(listed(response)) == size
    paging = response.json()["paging"]
    assert (paging["total"], paging["pages"]) == (27, math.ceil(27 / size))


def test_133_activities_are_14_pages(program, crowdtwist):
    fill(program, 133)

    paging = crowdtwist.get(CATALOGUE).json()["paging"]

    assert (paging["total"], paging["pages"]) == (133, 14)


@pytest.mark.parametrize(
    ("query", "next_page"),
    [
        pytest.param("", "?page=2&api_key=", id="no size"),
        pytest.param("page_size=5", "?page=2&page_size=5&api_key=", id="a size"),
        pytest.param("page_size=0", "?page=2&page_size=10&api_key=", id="no good size"),
        pytest.param("page=1&x=y", "?page=2&api_key=", id="something else"),
    ],
)
def test_t12_links_are_whole_addresses_with_an_empty_key(
    numbered, crowdtwist, query, next_page
):
    response = crowdtwist.get(f"{CATALOGUE}?{query}")

    paging = response.json()["paging"]
    assert paging["next_page"] == f"{HOST}{CATALOGUE}{next_page}"


def test_t12_a_key_in_the_query_is_not_in_the_links(numbered, crowdtwist):
    response = crowdtwist.bare(f"{CATALOGUE}?page=2&api_key={crowdtwist.key}")

    assert listed(response) == names(11, 20)
    assert crowdtwist.key not in response.content.decode()
    assert links(response) == (3, 1)


def test_links_can_be_followed_with_the_header_until_the_last_page(
    numbered, crowdtwist
):
    found, address = [], f"{CATALOGUE}?page_size=4"
    while address:
        response = crowdtwist.get(address)
        found += listed(response)
        address = response.json()["paging"]["next_page"]

    assert found == names(1, TOTAL)


def test_links_can_be_followed_by_adding_the_key_to_them(numbered, crowdtwist):
    address = crowdtwist.bare(f"{CATALOGUE}?api_key={crowdtwist.key}").json()["paging"][
        "next_page"
    ]

    assert listed(crowdtwist.bare(address + crowdtwist.key)) == names(11, 20)
    assert listed(crowdtwist.bare(f"{address}&api_key={crowdtwist.key}")) == names(
        11, 20
    )


@pytest.mark.parametrize(
    ("sent", "size"), [("", 10), ("page_size=4", 4), ("page_size=25", 10)]
)
def test_t11_the_list_of_a_member_has_at_most_10_on_a_page(
    numbered, crowdtwist, alice, sent, size
):
    response = crowdtwist.get(f"/v2.1/users/{alice.pk}/activities/extended?{sent}")

    assert listed(response) == names(1, size)
    assert response.json()["paging"]["total"] == TOTAL


def test_links_of_a_members_list_keep_the_type_of_id(numbered, crowdtwist, alice):
    path = "/v2.1/users/alice@example.com/activities/extended"

    response = crowdtwist.get(f"{path}?id_type=email")

    assert response.json()["paging"]["next_page"] == (
        f"{HOST}{path}?page=2&id_type=email&api_key="
    )
