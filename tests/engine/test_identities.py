"""What counts as one identity, kind by kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.engine.identities import Comparison, IdentityRules, identity_key, is_region

US, DE, GB = IdentityRules(), IdentityRules("DE"), IdentityRules("GB")


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (
            "email",
            [
                "ann@example.com",
                "Ann@Example.COM",
                " ann@example.com\t",
                "\ufeffANN@example.com",
            ],
        ),
        ("email", ["Jos\u00e9@x.es", "Jose\u0301@x.es", "JOSE\u0301@X.ES"]),
        ("customer_id", ["C-1", " C-1", "C-1\u00a0", "C-1\u200b"]),
        ("customer_id", ["Jos\u00e9", "Jose\u0301 "]),
        (
            "account_id",
            [
                "{7247C5DC-3573-470B-9DF3-6D2D87E7116E}",
                "7247c5dc-3573-470b-9df3-6d2d87e7116e",
            ],
        ),
        (
            "phone",
            [
                "+12125550100",
                "+1 (212) 555-0100",
                "212.555.0100",
                "12125550100",
                "0012125550100",
                " 212 555 0100 ",
                "+1\u2011212\u2011555\u20110100",
            ],
        ),
        ("username", ["Ann", "ANN"]),
    ],
)
def test_these_spellings_are_one_identity(kind, spellings):
    assert len({US.key_of(kind, one) for one in spellings}) == 1


@pytest.mark.parametrize(
    ("rules", "spellings"),
    [
        (
            DE,
            [
                "0170 1234567",
                "+49 170 1234567",
                "0049 170 1234567",
                "491701234567",
                "+49 (0)170 1234567",
                "(0170) 123-4567",
            ],
        ),
        (GB, ["020 7946 0018", "+44 20 7946 0018", "442079460018"]),
    ],
)
def test_numbers_without_a_country_are_of_the_programs_region(rules, spellings):
    assert len({rules.key_of("phone", one) for one in spellings}) == 1


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("customer_id", "C-1", "c-1"),
        ("customer_id", "C-1", "C1"),
        ("customer_id", "007", "7"),
        ("email", "ann@example.com", "anne@example.com"),
        ("email", "a.nn@example.com", "ann@example.com"),
        ("phone", "+12125550100", "+12125550101"),
        ("phone", "+12125550100", "+442125550100"),
        ("phone", "+12125550100 x1", "+12125550100 x2"),
        ("phone", "123", "+123"),
        ("phone", "home", "work"),
    ],
)
def test_these_are_two_identities(kind, one, other):
    assert US.key_of(kind, one) != US.key_of(kind, other)


def test_a_rule_of_the_program_goes_before_what_the_kind_suggests():
    rules = IdentityRules(
        by_kind={"card": Comparison.CASELESS, "email": Comparison.EXACT}
    )

    assert rules.key_of("card", "ab1") == rules.key_of("card", "AB1")
    assert rules.key_of("email", "a@x.de") != rules.key_of("email", "A@x.de")


@pytest.mark.parametrize("comparison", Comparison)
@given(value=st.text(min_size=1, max_size=40))
def test_a_key_is_its_own_key_and_never_empty(comparison, value):
    key = identity_key(value, comparison, "DE")

    assert key
    assert identity_key(key, comparison, "DE") == key


def test_a_region_is_a_country_with_telephones():
    assert is_region("DE")
    assert not is_region("de")
