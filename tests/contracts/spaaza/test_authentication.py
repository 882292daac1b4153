"""4.3: a member, a token, staff or a key; and what is wrong with each."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from activities.models import Interaction, LoginSession, MemberApp
from activities.services.logins import end_login
from loyalty.models import ApiKey, Identity, StaffProgram
from tests.builders import NOON, make_member, make_program, make_unit, make_wallet
from tests.contracts.spaaza.client import (
    APP,
    HOSTNAME,
    JWT,
    KEY,
    OLD_APP,
    USER_ID,
    USERNAME,
    Call,
    as_admin,
    as_client,
    as_member,
    as_token,
    done,
    make_staff,
    refused,
    scratch_card,
)

pytestmark = pytest.mark.django_db


def test_each_way_to_authenticate_interacts_and_is_kept(call, member, campaign):
    done(call.send())

    row = Interaction.objects.get()
    assert (row.member, row.campaign, row.source) == (member, campaign, "spaaza")
    assert row.actor


def test_t_21_the_record_tells_actor_mode_and_member(member, campaign):
    done(as_admin(member, campaign, make_staff("ann")).send())
    done(as_client(member, campaign, name="web shop").send())
    done(as_member(member, campaign).send())

    rows = list(Interaction.objects.order_by("id").values_list("mode", "actor"))
    assert [mode for mode, _ in rows] == ["admin", "privileged", "user"]
    assert rows[0][1].startswith("ann ")
    assert rows[1][1] == "API key web shop"
    assert rows[2][1].startswith(f"Member {member.pk} ")


def test_6_nothing_that_authenticates(member, campaign):
    refused(Call(query=as_client(member, campaign).query).send(), 6)


@pytest.mark.parametrize("absent", [USER_ID, KEY])
def test_6_half_a_session(member, campaign, absent):
    refused(as_member(member, campaign).with_headers({absent: None}).send(), 6)


def test_staff_may_be_named_by_user_name_beside_the_session_key(member, campaign):
    call = as_admin(member, campaign).with_headers({USER_ID: None, USERNAME: "ann"})

    done(call.send())


@pytest.mark.parametrize("kind", ["username", "email"])
def test_a_member_may_be_named_by_user_name_beside_the_session_key(
    program, member, campaign, kind
):
    Identity.objects.create(
        program=program, member=member, kind=kind, value="jo@example.com"
    )
    call = as_member(member, campaign)
    call.headers[USERNAME] = "jo@example.com"

    done(call.send())
    del call.headers[USER_ID]
    done(call.send())


@pytest.mark.parametrize("name", ["", "ben", "ann\u0001", "x" * 1000])
def test_6_a_session_of_another_user_name(member, campaign, name):
    for call in (as_admin(member, campaign, None), as_member(member, campaign)):
        refused(call.with_headers({USER_ID: None, USERNAME: name}).send(), 6)
        refused(call.with_headers({USERNAME: name}).send(), 6)


def test_6_a_user_name_without_a_session_key(member, campaign):
    call = as_admin(member, campaign)

    refused(call.with_headers({USER_ID: None, KEY: None, USERNAME: "ann"}).send(), 6)


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "1.0", "1" * 30, "\u0661"])
def test_6_a_session_of_another_user_id(member, campaign, value):
    call = as_member(member, campaign)
    call.headers[USER_ID] = value

    refused(call.send(), 6)


def test_6_a_session_ends_at_its_instant(member, campaign, noon):
    call = as_member(member, campaign)

    noon.shift(timedelta(minutes=59, seconds=59))
    done(call.send())
    noon.shift(timedelta(seconds=1))
    refused(call.send(), 6)


def test_6_a_session_that_was_ended(member, campaign):
    call = as_member(member, campaign)
    end_login(LoginSession.objects.get())

    refused(call.send(), 6)


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_6_staff_who_may_not_log_in_any_more(member, campaign, field):
    user = make_staff()
    call = as_admin(member, campaign, user)
    setattr(user, field, False)
    user.save()

    refused(call.send(), 6)


def test_6_a_member_of_a_program_that_is_off(program, member, campaign):
    call = as_member(member, campaign)
    program.is_enabled = False
    program.save()

    refused(call.send(), 6)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dTpw", "x", "Bearer a b", "Bearer é", "bearer"],
)
def test_265_a_malformed_authorization(member, campaign, header):
    call = as_client(member, campaign).with_headers({"Authorization": header})

    refused(call.send(), 265)


@pytest.mark.parametrize("key", ["x", "abcdefgh.0123456789", "a" * 43, "%00", "é" * 43])
def test_266_an_unknown_bearer(member, campaign, key):
    sent = key if key.isascii() else "_" * 43
    call = as_client(member, campaign)
    call.headers["Authorization"] = f"Bearer {sent}"

    refused(call.send(), 266)


@pytest.mark.parametrize("what", ["revoked", "expired", "program off"])
def test_266_a_key_that_opens_nothing_any_more(program, member, campaign, what):
    call = as_client(member, campaign)
    if what == "revoked":
        ApiKey.objects.update(revoked=True)
    elif what == "expired":
        ApiKey.objects.update(expiry_date=NOON)
    else:
        program.is_enabled = False
        program.save()

    refused(call.send(), 266)


def test_266_an_unknown_token(member, campaign):
    call = as_token(member, campaign).with_headers({JWT: "unknown"})

    response = call.send()

    refused(response, 266)
    assert response["WWW-Authenticate"]


def test_266_the_key_of_a_staff_session_is_no_token(member, campaign):
    call = as_admin(member, campaign)
    call.headers = {JWT: call.headers[KEY], APP: HOSTNAME}

    refused(call.send(), 266)


def test_the_scheme_bearer_is_read_in_any_case(member, campaign):
    call = as_client(member, campaign)
    call.headers["Authorization"] = call.headers["Authorization"].replace(
        "Bearer", "bEARER"
    )

    done(call.send())


@pytest.mark.parametrize("one", [as_member, as_token])
def test_228_two_ways_to_authenticate_at_once(member, campaign, one):
    call = one(member, campaign)
    call.headers |= as_client(member, campaign).headers

    refused(call.send(), 228)


def test_228_session_and_token_at_once(member, campaign):
    call = as_member(member, campaign)
    call.headers[JWT] = call.headers[KEY]

    refused(call.send(), 228)


def test_228_staff_who_name_an_app(member, campaign):
    call = as_admin(member, campaign)
    call.headers[APP] = HOSTNAME

    refused(call.send(), 228)


@pytest.mark.parametrize("one", [as_member, as_token])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_269_a_user_without_an_app(member, campaign, one, value):
    refused(one(member, campaign).with_headers({APP: value}).send(), 269)


@pytest.mark.parametrize(
    "hostname", ["no.example.com", "app.example.com/", "x" * 300, "a\tb", "'", "%00"]
)
@pytest.mark.parametrize("one", [as_member, as_client])
def test_238_an_unknown_app(member, campaign, one, hostname):
    refused(one(member, campaign).with_headers({APP: hostname}).send(), 238)


@pytest.mark.parametrize("one", [as_member, as_client])
def test_264_an_app_of_nobody(member, campaign, one):
    MemberApp.objects.create(hostname="free.example.com")

    call = one(member, campaign).with_headers({APP: "free.example.com"})

    refused(call.send(), 264)


def test_host_names_are_found_in_any_case(member, campaign):
    call = as_member(member, campaign)
    call.headers[APP] = HOSTNAME.upper()

    done(call.send())


def test_t_31_the_older_spelling_of_the_app_is_read(member, campaign):
    call = as_member(member, campaign)
    call.headers[OLD_APP] = call.headers.pop(APP)

    done(call.send())


def test_t_31_of_two_spellings_the_seed_s_wins(member, campaign):
    call = as_member(member, campaign)

    done(call.with_headers({OLD_APP: "no.example.com"}).send())
    refused(call.with_headers({APP: "no.example.com", OLD_APP: HOSTNAME}).send(), 238)


def test_privileged_clients_need_no_app_and_may_name_one(member, campaign):
    MemberApp.objects.create(hostname=HOSTNAME, program=member.program)
    call = as_client(member, campaign)

    done(call.send())
    done(call.with_headers({APP: HOSTNAME}).send())


def test_405_an_app_of_another_program(member, campaign):
    MemberApp.objects.create(hostname="other.example.com", program=make_program())

    for one in (as_member, as_client):
        call = one(member, campaign).with_headers({APP: "other.example.com"})
        refused(call.send(), 405)


def test_a_key_that_may_only_interact_interacts_and_nothing_else(
    program, member, campaign, client
):
    call = as_client(
        member, campaign, can_read=False, can_write=False, can_interact=True
    )

    done(call.send())
    assert client.get("/api/v1/members", headers=call.headers).status_code == 403


def with_token(client, member, campaign, scope):
    """Return a call with an access token of OAuth in place of the key."""
    call = as_client(member, campaign)
    client_id, secret = call.headers["Authorization"].split()[1].split(".")
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "scope": scope,
    }
    answer = client.post(
        "/oauth/token", urlencode(form), "application/x-www-form-urlencoded"
    ).json()
    assert answer["scope"] == scope
    call.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return call


@pytest.mark.parametrize("scope", ["write", "interactions:write"])
def test_an_oauth_token_with_the_scope_interacts(client, member, campaign, scope):
    done(with_token(client, member, campaign, scope).send())


def test_68_a_token_without_the_scope(client, member, campaign):
    refused(with_token(client, member, campaign, "read").send(), 68)


def test_68_a_key_that_only_reads(member, campaign):
    refused(as_client(member, campaign, can_write=False).send(), 68)


def test_68_staff_without_the_permission(member, campaign):
    user = make_staff("bob", "view_campaign")

    refused(as_admin(member, campaign, user).send(), 68)


def test_t_21_who_may_read_may_interact_by_default(member, campaign):
    call_command("create_groups", verbosity=0)
    user = make_staff("bob", "nothing")
    user.groups.add(Group.objects.get(name="Analyst"))

    done(as_admin(member, campaign, user).send())


def test_217_an_administrator_names_the_chain(member, campaign):
    call = as_admin(member, campaign)

    refused(call.changed(without=("chain_id",)).send(), 217)
    refused(call.changed(chain_id="").send(), 217)
    refused(call.changed(chain_id="999999").send(), 217)
    refused(call.changed(chain_id="x").send(), 217)
    refused(call.changed(chain_id="9" * 40).send(), 217)


def test_405_the_chain_of_another_campaign(member, campaign):
    call = as_admin(member, campaign)

    refused(call.changed(chain_id=make_program().pk).send(), 405)


def test_405_a_campaign_of_another_program(call):
    other = make_program()
    make_wallet(other)

    refused(call.changed(campaign_id=scratch_card(other).pk).send(), 405)


def test_270_a_member_of_another_program(member, campaign):
    stranger = make_member(make_program())

    refused(as_client(member, campaign).changed(user_id=stranger.pk).send(), 270)
    refused(as_admin(member, campaign).changed(user_id=stranger.pk).send(), 270)


def test_a_key_bound_to_units_interacts_with_campaigns_of_these_and_of_none(
    program, member
):
    make_wallet(program)
    mine, other = make_unit(program, "mine"), make_unit(program, "other")

    def sent(unit):
        campaign = scratch_card(program, business_unit=unit)
        return as_client(member, campaign, units=[mine]).send()

    done(sent(mine))
    done(sent(None))
    refused(sent(other), 405)


def test_staff_of_one_chain_spend_nothing_in_another(member, campaign):
    user = make_staff()
    StaffProgram.objects.create(user=user, program=make_program(name="Theirs"))
    call = as_admin(member, campaign, user)

    refused(call.send(), 68)
    StaffProgram.objects.create(user=user, program=member.program)
    assert call.send().status_code == 200
