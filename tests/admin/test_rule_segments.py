"""Marketers compose segments of rules and see whom they let in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from activities.models import RuleSegment
from activities.services import record_activities
from loyalty.models import SegmentMembership, SegmentRule
from tests.admin.forms import complaints, page, save
from tests.builders import (
    make_member,
    make_program,
    make_segment,
    make_type,
    purchase,
    wallet_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    """Ann bought once; Bob never."""
    program = make_program()
    make_type(program)
    ann = make_member(program, "ann")
    make_member(program, "bob")
    yesterday = timezone.now() - timedelta(days=1)
    record_activities(
        program.pk, [purchase(ann, "5", occurred_at=yesterday)], now=timezone.now()
    )
    return program


def first_rule(**fields):
    sent = {"group": "all", "comparison": "at_least", "number": "1", **fields}
    return {
        "rules-TOTAL_FORMS": "1",
        **{f"rules-0-{name}": value for name, value in sent.items()},
    }


@pytest.fixture
def buyers(program):
    segment = RuleSegment.objects.create(program=program, code="buyers", name="Buyers")
    SegmentRule.objects.create(segment=segment, fact="activity_count", number=1)
    return segment


def test_a_segment_with_a_rule_is_made_on_one_page(program, marketing):
    save(
        marketing,
        page(RuleSegment, "add"),
        name="Buyers",
        code="buyers",
        **first_rule(fact="activity_count", days="30"),
    )

    segment = RuleSegment.objects.get()
    assert (segment.kind, segment.program) == ("rules", program)
    assert [rule.in_words() for rule in segment.rules.all()] == [
        "Number of activities in the last 30 days is at least 1"
    ]


def test_the_page_tells_whom_the_rules_let_in_and_moves_nobody(buyers, marketing):
    answer = marketing.get(page(RuleSegment, "change", buyers.pk))

    text = answer.content.decode()
    assert "let in <strong>1</strong> member right now" in text
    assert "1 would enter and 0 would leave" in text
    assert ">ann</a>" in text
    assert not SegmentMembership.objects.exists()


def test_members_move_after_a_yes(buyers, marketing):
    address = page(RuleSegment, "refresh", buyers.pk)

    asked = marketing.get(address)
    assert "1 enter and 0 leave" in asked.content.decode()
    assert not SegmentMembership.objects.exists()

    marketing.post(address, {"confirmed": "yes"})
    assert SegmentMembership.objects.get().member.identities.get().value == "ann"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"fact": "balance"},
            "“Balance of a wallet” needs it.",
        ),
        (
            {"fact": "enrolled", "days": "3"},
            "“Days since enrolment” has no use for it.",
        ),
        (
            {"fact": "enrolled", "comparison": "equals"},
            "“Days since enrolment” is compared by “is at least”, “is at most”.",
        ),
        (
            {"fact": "attribute", "attribute": "age", "number": "", "text": "x"},
            "“at least” and “at most” compare with a number.",
        ),
        (
            {"fact": "activity_count", "days": "0"},
            "Ensure this value is greater than or equal to 1.",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_sentence(
    program, marketing, fields, sentence
):
    answer = save(
        marketing,
        page(RuleSegment, "add"),
        name="Odd",
        code="odd",
        **first_rule(**fields),
    )

    assert sentence in complaints(answer)
    assert not RuleSegment.objects.exists()


def test_a_circle_of_segments_is_refused(buyers, program, marketing):
    other = RuleSegment.objects.create(program=program, code="other", name="Other")
    SegmentRule.objects.create(
        segment=other, fact="segment", comparison="equals", other_segment=buyers
    )

    answer = save(
        marketing,
        page(RuleSegment, "change", buyers.pk),
        **{
            "rules-0-fact": "segment",
            "rules-0-comparison": "equals",
            "rules-0-number": "",
            "rules-0-other_segment": str(other.pk),
        },
    )

    assert "wait for each other" in answer.content.decode()


def test_rows_of_another_program_cannot_be_named(buyers, marketing):
    foreign = wallet_of(make_program())

    answer = save(
        marketing,
        page(RuleSegment, "change", buyers.pk),
        **{"rules-0-fact": "balance", "rules-0-wallet": str(foreign.pk)},
    )

    assert any("not one of this program's rows" in one for one in complaints(answer))


def test_fixed_segments_have_other_pages(program, marketing):
    fixed = make_segment(program)

    answer = marketing.get(page(RuleSegment, "change", fixed.pk))

    assert answer.status_code == 302


def test_an_analyst_looks_and_changes_nothing(buyers, client, analyst):
    client.force_login(analyst)

    assert client.get(page(RuleSegment, "change", buyers.pk)).status_code == 200
    assert client.get(page(RuleSegment, "add")).status_code == 403
    refused = client.post(page(RuleSegment, "refresh", buyers.pk), {"confirmed": "y"})
    assert refused.status_code in {302, 403}
    assert not SegmentMembership.objects.exists()
