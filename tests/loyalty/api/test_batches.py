"""Bodies of many items: what is wrong with one is its own."""

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.api.batches import ActivitiesJsonParser, BatchJsonParser, Unreadable
from loyalty.api.problems import Problem

HALF = b'{"a": "\\ud83d"}'
#: Items that cannot be read, each valid enough to see where it ends.
BAD = {
    "half a surrogate pair": HALF,
    "half a surrogate pair, as bytes": b'{"a": "\xed\xa0\xbd"}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "34 levels": b"[" * 34 + b"]" * 34,
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "50,000 objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a name twice": b'{"a": 1, "a": 2}',
    "NaN": b'{"a": NaN}',
    "not UTF-8": b'{"a": "\xff"}',
    "brackets in text": b'{"a": "]},[{\\"", "b": "\\ud83d"}',
}


def read(raw, parser=BatchJsonParser):
    return parser().parse(BytesIO(raw))


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_that_cannot_be_read_leaves_the_others_readable(bad, place):
    items = [b'{"n": 0}', b'{"n": [1, {}]}', b'{"n": "]"}']
    items.insert(place, bad)
    raw = b" [ " + b" , ".join(items) + b" ] "

    for found in (
        read(raw),
        read(b"\xef\xbb\xbf" + raw),
        read(b'{"activities":' + raw + b"}", ActivitiesJsonParser)["activities"],
    ):
        assert isinstance(found.pop(place), Unreadable)
        assert found == [{"n": 0}, {"n": [1, {}]}, {"n": "]"}]


def test_two_bad_items_are_both_told():
    found = read(b"[" + HALF + b"," + HALF + b",1]")

    assert [isinstance(one, Unreadable) for one in found] == [True, True, False]


def test_a_single_object_is_one_item():
    assert isinstance(read(HALF), Unreadable)


@pytest.mark.parametrize(
    "raw",
    [
        b"[%s" % HALF,
        b"[%s}" % HALF,
        b"[%s,]" % HALF,
        b"[%s] 1" % HALF,
        b"[%s, nope]" % HALF,
        b"[%s, {'a': 1}]" % HALF,
        b'[%s, {"a": 1 "b": 2}]' % HALF,
        b'[%s, "open]' % HALF,
        b'"\\ud83d"',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_body_whose_syntax_is_broken_is_refused_as_a_whole(raw):
    with pytest.raises(Problem):
        read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[%s]" % HALF,
        b'{"items": [%s]}' % HALF,
        b'{"activities": [%s], "more": 1}' % HALF,
        b'{"activities": [%s], "activities": []}' % HALF,
        b'{"activities": {"a": [%s]}}' % HALF,
    ],
)
def test_an_array_elsewhere_is_no_batch(raw):
    with pytest.raises(Problem):
        read(raw, ActivitiesJsonParser)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text('ab[]{},:"\\é'),
    lambda some: st.lists(some) | st.dictionaries(st.text('a[]{},"'), some),
    max_leaves=15,
)


@given(st.lists(values, max_size=6), st.integers(0, 6), st.booleans())
def test_items_are_found_whatever_stands_in_them(items, place, is_ascii):
    texts = [json.dumps(one, ensure_ascii=is_ascii).encode() for one in items]
    place = min(place, len(texts))
    texts.insert(place, HALF)

    found = read(b"[" + b",".join(texts) + b"]")

    assert isinstance(found.pop(place), Unreadable)
    assert found == items
