"""Program memberships: get or create, search, change, traits."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from activities.contracts.hang.memberships import phone_in
from loyalty.api.problems import Problem
from loyalty.models import Identity, Member
from tests.builders import NOON, make_member, make_program, make_unit
from tests.contracts.hang.client import FORM, HangClient, refused

pytestmark = pytest.mark.django_db
MISSING = "Missing required parameters."
NOT_FOUND = "Could not find the program membership provided."
SECONDS = int(NOON.timestamp())


def membership_in(response):
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"membership"}
    return body["membership"]


@pytest.mark.usefixtures("frozen")
class TestGetOrCreate:
    def test_a_new_membership_reads_as_on_the_page(self, client, payload):
        found = membership_in(client.post("", payload("membership")))

        member = Member.objects.get()
        assert found == {
            "id": str(member.pk),
            "external_user_id": "12345",
            "created_at": int(member.enrolled_at.timestamp()),
            "magic_link": None,
            "social_media_credentials": {
                "twitter_username": None,
                "instagram_username": None,
                "tiktok_username": None,
            },
            "family_member_birthdays": [
                {
                    "first_name": "Anna",
                    "last_name": "",
                    "birth_date": "2000-02-02",
                    "status": "active",
                },
                {
                    "first_name": "Mason",
                    "last_name": "Smith",
                    "birth_date": "2002-01-01",
                    "status": "active",
                },
            ],
        }
        assert member.attributes["first_name"] == "joe"
        assert set(member.identities.values_list("kind", "value")) == {
            ("customer_id", "12345"),
            ("phone", "+17891234567"),
        }

    @pytest.mark.parametrize(
        "again",
        [
            {"external_user_id": "12345"},
            {"phone": "(789) 123-4567"},
            {"external_user_id": "12345", "phone": "+17891234567"},
            {"external_user_id": "12345", "first_name": "other"},
        ],
        ids=str,
    )
    def test_the_same_phone_or_external_id_returns_the_existing_one(
        self, client, payload, again
    ):
        first = membership_in(client.post("", payload("membership")))

        assert membership_in(client.post("", again)) == first
        assert Member.objects.get().attributes["first_name"] == "joe"

    @pytest.mark.parametrize("body", [{}, {"email": "a@example.com"}, {"phone": ""}])
    def test_one_of_phone_and_external_id_is_needed(self, client, body):
        refused(client.post("", body), 400, MISSING)
        assert not Member.objects.exists()

    def test_what_an_existing_one_lacks_is_learned(self, client):
        first = membership_in(client.post("", {"external_user_id": "a"}))

        client.post("", {"external_user_id": "a", "phone": "5555551234"})

        assert membership_in(client.post("", {"phone": "5555551234"})) == first

    def test_an_identity_of_a_kind_it_has_is_not_added(self, client):
        client.post("", {"external_user_id": "a", "phone": "5555551234"})

        client.post("", {"external_user_id": "b", "phone": "5555551234"})

        assert not Identity.objects.filter(value="b").exists()

    def test_phone_and_external_id_of_two_memberships_are_409(self, client):
        client.post("", {"external_user_id": "a"})
        client.post("", {"phone": "5555551234"})

        refused(
            client.post("", {"external_user_id": "a", "phone": "5555551234"}),
            409,
            "A program membership with these details exists.",
        )

    def test_a_number_is_the_same_external_id_as_its_text(self, client):
        first = membership_in(client.post("", {"external_user_id": 12345}))

        assert membership_in(client.post("", {"external_user_id": "12345"})) == first

    def test_leading_zeros_are_kept(self, client):
        membership_in(client.post("", {"external_user_id": "007"}))

        refused(client.search({"external_user_id": "7"}), 404, NOT_FOUND)

    def test_a_form_will_do(self, client):
        body = urlencode(
            {
                "external_user_id": "a",
                "family_member_birthdays": json.dumps(
                    [{"first_name": "A", "birthday": "2000-02-02", "status": "active"}]
                ),
            }
        ).encode()

        found = membership_in(client.post("", body, **{"Content-Type": FORM}))

        assert found["family_member_birthdays"][0]["birth_date"] == "2000-02-02"

    @pytest.mark.parametrize(
        "change",
        [
            {"phone": "12"},
            {"phone": "call me"},
            {"phone": ["+17891234567"]},
            {"birthday": "25.02.1989"},
            {"birthday": "2023-02-30"},
            {"email": {"a": 1}},
            {"first_name": "x" * 256},
            {"external_user_id": "x" * 256},
            {"family_member_birthdays": [{"first_name": "A"}]},
            {"family_member_birthdays": [7]},
            {"family_member_birthdays": {"a": 1}},
            {
                "family_member_birthdays": [
                    {"first_name": "A", "birthday": "2000-02-02", "status": "gone"}
                ]
            },
        ],
        ids=str,
    )
    def test_details_that_cannot_be_read_are_refused(self, client, payload, change):
        response = client.post("", payload("membership", **change))

        assert response.status_code == 400
        assert set(response.json()) == {"message"}
        assert not Member.objects.exists()

    def test_programs_do_not_see_each_other(self, client):
        elsewhere = HangClient(make_program())
        first = membership_in(client.post("", {"external_user_id": "a"}))

        second = membership_in(elsewhere.post("", {"external_user_id": "a"}))

        assert first["id"] != second["id"]

    def test_a_key_bound_to_a_unit_enrols_like_any_other(self, program):
        client = HangClient(program, units=[make_unit(program)])

        membership_in(client.post("", {"external_user_id": "a"}))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+17891234567", "+17891234567"),
        ("7891234567", "+17891234567"),
        ("17891234567", "+17891234567"),
        ("(789) 123-4567", "+17891234567"),
        ("789.123.4567", "+17891234567"),
        ("+49 30 901820", "+4930901820"),
        ("0049 30 901820", "+4930901820"),
        (7891234567, "+17891234567"),
    ],
)
def test_a_phone_is_kept_as_e164_and_of_the_us_without_a_country(written, kept):
    assert phone_in(written) == kept


@pytest.mark.parametrize("written", ["1", "0123456789", "+0123456789", "+1" * 20, "a"])
def test_what_is_no_phone_is_refused(written):
    with pytest.raises(Problem):
        phone_in(written)


class TestSearch:
    def test_the_body_of_a_get_is_read(self, client, member):
        found = membership_in(client.search({"external_user_id": "user123"}))

        assert (found["id"], found["external_user_id"]) == (str(member.pk), "user123")

    def test_the_query_is_read_too(self, client, member):
        path = "program-memberships/search?external_user_id=user123"

        assert membership_in(client.call("GET", path))["id"] == str(member.pk)

    @pytest.mark.parametrize("name", ["external_user_id", "phone", "other"])
    def test_text_in_the_query_that_cannot_be_kept_is_refused(self, client, name):
        path = f"program-memberships/search?{name}=a%00b"

        words = "Text must not contain NUL or half of a surrogate pair."
        refused(client.call("GET", path), 400, words)

    def test_nobody_is_404(self, client):
        refused(client.search({"external_user_id": "nobody"}), 404, NOT_FOUND)

    @pytest.mark.parametrize("body", [{}, b"", {"external_user_id": None}])
    def test_without_an_id_it_is_400(self, client, body):
        refused(client.search(body), 400, MISSING)

    def test_a_membership_of_another_program_is_not_found(self, client):
        make_member(make_program(), "elsewhere")

        refused(client.search({"external_user_id": "elsewhere"}), 404, NOT_FOUND)


class TestBulkSearch:
    @pytest.fixture
    def members(self, program):
        return [
            make_member(program, f"m{day}", enrolled_at=NOON + timedelta(days=day))
            for day in range(5)
        ]

    def rows(self, response):
        assert response.status_code == 200, response.content
        body = response.json()
        assert set(body) == {"memberships", "total_records"}
        return [one["external_user_id"] for one in body["memberships"]], body[
            "total_records"
        ]

    def test_a_row_reads_as_on_the_page(self, client, program):
        member = make_member(program, "some_id", enrolled_at=NOON)
        Identity.objects.create(
            program=program, member=member, kind="phone", value="+15555551234"
        )

        (row,) = client.post("/bulk-search", {}).json()["memberships"]

        assert row == {
            "id": str(member.pk),
            "phone": "+15555551234",
            "external_user_id": "some_id",
            "magic_link": None,
            "created_at": SECONDS,
            "updated_at": SECONDS,
        }

    @pytest.mark.usefixtures("members")
    def test_created_is_from_the_start_to_before_the_end(self, client):
        span = {"start": SECONDS + 86_400, "end": SECONDS + 3 * 86_400}

        found = client.post("/bulk-search", {"filter": {"created": span}})

        assert self.rows(found) == (["m1", "m2"], 2)

    @pytest.mark.usefixtures("members")
    @pytest.mark.parametrize(
        ("span", "names"),
        [
            ({"start": SECONDS + 3 * 86_400}, ["m3", "m4"]),
            ({"start": SECONDS + 3 * 86_400 + 0.0}, ["m3", "m4"]),
            ({"start": SECONDS + 3 * 86_400 + 0.5}, ["m4"]),
            ({"start": 0}, ["m0", "m1", "m2", "m3", "m4"]),
            ({"end": str(SECONDS + 86_400)}, ["m0"]),
            ({}, ["m0", "m1", "m2", "m3", "m4"]),
        ],
    )
    def test_either_end_may_be_left_open(self, client, span, names):
        found = client.post("/bulk-search", {"filter": {"created": span}})

        assert self.rows(found)[0] == names

    def test_updated_is_when_something_was_last_changed(self, client, members, frozen):
        frozen.shift(timedelta(days=20))
        client.patch(members[1], {"first_name": "new"})
        span = {"start": SECONDS + 19 * 86_400}

        found = client.post("/bulk-search", {"filter": {"updated": span}})

        assert self.rows(found) == (["m1"], 1)
        (row,) = found.json()["memberships"]
        assert row["updated_at"] == SECONDS + 20 * 86_400

    def test_a_change_by_any_other_route_is_noted_too(self, members):
        Member.objects.filter(pk=members[0].pk).update(attributes={"a": 1})

        assert Member.objects.get(pk=members[0].pk).updated_at is not None
        assert Member.objects.get(pk=members[1].pk).updated_at is None

    @pytest.mark.usefixtures("members")
    @pytest.mark.parametrize(
        ("page", "names"), [(1, ["m0", "m1"]), (3, ["m4"]), (4, [])]
    )
    def test_pages_count_from_1(self, client, page, names):
        found = client.post("/bulk-search", {"page": page, "page_size": 2})

        assert self.rows(found) == (names, 5)

    @pytest.mark.usefixtures("members")
    def test_a_form_may_nest_its_names(self, client):
        start = SECONDS + 3 * 86_400
        body = f"filter[created][start]={start}&page_size=1".encode()

        found = client.post("/bulk-search", body, **{"Content-Type": FORM})

        assert self.rows(found) == (["m3"], 2)

    @pytest.mark.parametrize(
        "body",
        [
            {"page_size": 1001},
            {"page_size": 0},
            {"page": 0},
            {"page": "x"},
            {"page": True},
            {"page": 10**18},
            {"filter": []},
            {"filter": {"created": 5}},
            {"filter": {"created": {"start": "x"}}},
            {"filter": {"created": {"start": SECONDS * 1000}}},
            {"filter": {"created": {"start": 5, "end": 5}}},
            {"filter": {"updated": {"start": 6, "end": 5}}},
        ],
        ids=str,
    )
    def test_what_cannot_be_searched_for_is_refused(self, client, body):
        response = client.post("/bulk-search", body)

        assert (response.status_code, set(response.json())) == (400, {"message"})

    def test_a_key_that_may_only_read_searches(self, program):
        client = HangClient(program, can_write=False)

        assert client.post("/bulk-search", {}).status_code == 200

    def test_a_page_costs_the_same_for_few_and_for_many(
        self, client, program, django_assert_num_queries
    ):
        make_member(program)
        client.post("/bulk-search", {})
        with django_assert_num_queries(4):
            client.post("/bulk-search", {})
        for _ in range(9):
            make_member(program)
        with django_assert_num_queries(4):
            client.post("/bulk-search", {})


class TestChange:
    def test_what_is_sent_is_changed_and_the_rest_stays(self, client, payload):
        client.post("", payload("membership"))
        member = Member.objects.get()

        found = membership_in(
            client.patch(member, {"external_user_id": "new", "last_name": "Jones"})
        )

        member.refresh_from_db()
        assert found["external_user_id"] == "new"
        assert member.attributes["last_name"] == "Jones"
        assert member.attributes["first_name"] == "joe"
        assert set(member.identities.values_list("kind", "value")) == {
            ("customer_id", "new"),
            ("phone", "+17891234567"),
        }

    def test_the_old_external_id_is_free_again(self, client, member):
        client.patch(member, {"external_user_id": "new"})

        refused(client.search({"external_user_id": "user123"}), 404, NOT_FOUND)

    def test_its_own_details_again_change_nothing(self, client, member):
        before = list(Identity.objects.values())

        client.patch(member, {"external_user_id": "user123"})

        assert list(Identity.objects.values()) == before

    def test_the_details_of_another_membership_are_409(self, client, program, member):
        make_member(program, "other")

        refused(
            client.patch(member, {"external_user_id": "other", "last_name": "x"}),
            409,
            "A program membership with these details exists.",
        )
        member.refresh_from_db()
        assert member.attributes == {}

    def test_an_empty_body_changes_nothing(self, client, member):
        assert membership_in(client.patch(member, {}))["id"] == str(member.pk)

    def test_an_unknown_membership_is_404(self, client):
        stranger = make_member(make_program())

        refused(client.patch(stranger, {"last_name": "x"}), 404, NOT_FOUND)


class TestTraits:
    def call(self, client, member, verb, **body):
        return client.post(f"/{member.pk}/{verb}-trait", body)

    def test_a_trait_is_added_changed_and_removed(self, client, member):
        self.call(client, member, "add", trait_name="vip", trait_value="yes")
        self.call(client, member, "add", trait_name="size", trait_value="L")
        changed = self.call(client, member, "add", trait_name="vip", trait_value="no")
        removed = self.call(
            client, member, "remove", trait_name="size", trait_value="L"
        )

        assert changed.json() == {
            "traits": [
                {"name": "size", "value": "L"},
                {"name": "vip", "value": "no"},
            ]
        }
        assert removed.json() == {"traits": [{"name": "vip", "value": "no"}]}

    @pytest.mark.parametrize("body", [{}, {"trait_name": "a"}, {"trait_value": "a"}])
    @pytest.mark.parametrize("verb", ["add", "remove"])
    def test_name_and_value_are_required(self, client, member, verb, body):
        refused(self.call(client, member, verb, **body), 400, MISSING)

    def test_an_unknown_membership_is_404(self, client):
        stranger = make_member(make_program())
        body = {"trait_name": "a", "trait_value": "b"}

        refused(self.call(client, stranger, "add", **body), 404, NOT_FOUND)
