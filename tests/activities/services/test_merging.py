"""Anonymous people become known: their activities move along, and may earn."""

from datetime import timedelta

import pytest
from django.db import Error, transaction

from activities.models import Activity, LateDecision, ProfileMerge
from activities.reports import ledger_mismatches
from activities.services import (
    BlockedMember,
    Recorded,
    Refused,
    record_activities,
    reverse_activities,
)
from activities.services.commands import ProgramDisabled, UnknownMember
from activities.services.merging import UnknownProfile, merge_profile
from activities.services.recording import simulate_activities
from loyalty.models import Account, AnonymousProfile, Entry, Identity, Member, Program
from tests.builders import (
    NOON,
    make_campaign,
    make_member,
    make_program,
    make_type,
    purchase,
)

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def program():
    program = make_program()
    make_type(program)
    return program


@pytest.fixture
def member(program):
    return make_member(program, "jo")


def record(program, *commands, now=LATER, may_enrol=False):
    return record_activities(program.pk, list(commands), now=now, may_enrol=may_enrol)


def seen(value="5", name="cookie-1", **fields):
    return purchase(None, value, anonymous_id=name, **fields)


def known_as(who, value="1", name="cookie-1", **fields):
    return purchase(who, value, anonymous_id=name, **fields)


def merge(program, member, name="cookie-1", now=LATER):
    return merge_profile(program.pk, name, member.pk, now=now, source="test")


def balance(member):
    account = Account.objects.filter(member=member).first()
    return 0 if account is None else account.balance


def allow(program, policy, hours=24):
    Program.objects.filter(pk=program.pk).update(retro_points=policy, retro_hours=hours)


def test_an_activity_with_both_ids_merges_the_profile(program, member):
    record(program, seen())

    record(program, known_as("jo"))

    assert AnonymousProfile.objects.get().merged_into == member
    assert [one.member for one in Activity.objects.all()] == [member, member]
    log = ProfileMerge.objects.get()
    assert (log.member, log.activity_count, log.source) == (member, 1, "test")
    assert (log.points_policy, log.created_at) == ("off", LATER)


def test_moved_activities_keep_their_moments_and_everything_else(program, member):
    record(program, seen())
    before = Activity.objects.values().get()

    record(program, known_as("jo"))

    after = Activity.objects.values().order_by("pk")[0]
    assert after == {**before, "member_id": member.pk}


def test_earlier_activities_earn_nothing_by_default(program, member):
    record(program, seen("5"))

    record(program, known_as("jo", "1"))

    assert balance(member) == 1
    assert not LateDecision.objects.exists()


def test_a_program_may_leave_history_behind(program, member):
    Program.objects.update(moves_anonymous_history=False, retro_points="all")
    record(program, seen("5"))

    record(program, known_as("jo", "1"))

    assert Activity.objects.filter(member=None).count() == 1
    assert ProfileMerge.objects.get().activity_count == 0
    assert balance(member) == 1


def test_everything_earns_if_the_program_says_so(program, member):
    allow(program, "all")
    record(program, seen("5", occurred_at=NOON - timedelta(days=400)), seen("7"))

    record(program, known_as("jo", "1"))

    assert balance(member) == 13
    assert not list(ledger_mismatches())
    assert sorted(
        one.decision["awards"][0]["points"] for one in LateDecision.objects.all()
    ) == [5, 7]


@pytest.mark.parametrize(
    ("before", "points"),
    [
        pytest.param(timedelta(hours=24), 5, id="at the very edge"),
        pytest.param(timedelta(hours=24, microseconds=1), 0, id="an instant older"),
    ],
)
def test_only_the_window_before_the_merge_earns(program, member, before, points):
    allow(program, "window")
    record(program, seen("5", occurred_at=LATER - before), now=LATER - before)

    record(program, known_as("jo", "0"))

    assert balance(member) == points


def test_what_was_undone_before_earns_nothing(program, member):
    allow(program, "all")
    [outcome] = record(program, seen("5"))
    reverse_activities(program.pk, [outcome.activity_id], now=LATER, reason="returned")

    record(program, known_as("jo", "1"))

    assert balance(member) == 1


def test_what_earned_late_can_be_undone(program, member):
    allow(program, "all")
    [outcome] = record(program, seen("5"))
    record(program, known_as("jo", "1"))

    reverse_activities(program.pk, [outcome.activity_id], now=LATER, reason="returned")

    assert balance(member) == 1
    assert not list(ledger_mismatches())


def test_earlier_activities_are_decided_in_the_order_in_which_they_happened(
    program, member
):
    allow(program, "all")
    make_campaign(
        program,
        name="First purchase",
        reward_method="fixed",
        points=100,
        cap_count=1,
        frequency_period_id=_lifetime(),
    )
    [earlier] = record(program, seen("5", occurred_at=NOON - timedelta(hours=1)))

    record(program, known_as("jo", "1"))

    entry = Entry.objects.get(amount=100)
    assert entry.activity_id == earlier.activity_id
    assert balance(member) == 106


def test_a_campaign_budget_holds_for_what_earns_late(program, member):
    allow(program, "all")
    make_campaign(program, points=10, awards_budget=2)
    record(program, *[seen("0") for _ in range(3)])

    record(program, known_as("jo", "0"))

    assert balance(member) == 20


def test_after_the_merge_the_anonymous_id_stands_for_the_member(program, member):
    record(program, known_as("jo", "1"))

    [outcome] = record(program, seen("5"))

    assert outcome.member_id == member.pk
    assert balance(member) == 6


def test_a_batch_merges_where_it_would_have_call_by_call(program, member):
    outcomes = record(program, seen("5"), known_as("jo", "1"), seen("7"))

    assert [one.member_id for one in outcomes] == [None, member.pk, member.pk]
    assert balance(member) == 8
    assert ProfileMerge.objects.get().activity_count == 1
    assert not Activity.objects.filter(member=None).exists()


def test_in_a_batch_too_everything_earns_if_the_program_says_so(program, member):
    allow(program, "all")

    record(program, seen("5"), known_as("jo", "1"), seen("7"))

    assert balance(member) == 13


def test_a_second_member_gets_only_the_new_activity(program, member):
    other = make_member(program, "lou")
    record(program, seen("5"))
    record(program, known_as("jo", "1"))

    record(program, known_as("lou", "2"))

    assert AnonymousProfile.objects.get().merged_into == member
    assert Activity.objects.filter(member=member).count() == 2
    assert balance(other) == 2


def test_two_members_in_one_batch_do_not_share_a_profile(program, member):
    other = make_member(program, "lou")
    record(program, seen("5"))

    record(program, known_as("jo", "1"), known_as("lou", "2"), seen("4"))

    assert ProfileMerge.objects.get().member == member
    assert (balance(member), balance(other)) == (5, 2)


def test_an_unknown_identity_converts_the_profile_into_a_new_member(program):
    record(program, seen("5"))

    [outcome] = record(program, known_as("new", "1"), may_enrol=True)

    found = Member.objects.get(identities__value="new")
    assert outcome.member_id == found.pk
    assert Activity.objects.filter(member=found).count() == 2


def test_a_new_member_with_a_new_profile_is_merged_at_once(program):
    record(program, known_as("new", "1"), may_enrol=True)

    assert AnonymousProfile.objects.get().merged_into == Member.objects.get()
    assert ProfileMerge.objects.get().activity_count == 0


def test_a_new_member_earns_for_what_came_before(program):
    allow(program, "all")
    record(program, seen("5"))

    record(program, known_as("new", "1"), may_enrol=True)

    assert balance(Member.objects.get()) == 6


def test_without_enrolment_an_unknown_identity_is_refused_and_merges_nothing(program):
    record(program, seen("5"))

    [outcome] = record(program, known_as("new"))

    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, UnknownMember)
    assert not ProfileMerge.objects.exists()


def test_a_refused_key_merges_nothing(program, member):
    record(program, seen("5"), purchase("jo", "1", key="k"))

    [outcome] = record(program, known_as("jo", "2", key="k"))

    assert isinstance(outcome, Refused)
    assert AnonymousProfile.objects.get().merged_into is None


def test_a_refused_key_gives_nobody_what_follows_in_the_batch(program, member):
    record(program, purchase("jo", "1", key="k"))

    record(program, known_as("jo", "2", key="k"), seen("5"))

    assert AnonymousProfile.objects.get().merged_into is None
    assert Activity.objects.exclude(key="k").get().member is None
    assert balance(member) == 1


def test_a_refused_key_enrols_nobody_for_a_profile(program):
    record(program, seen("5"), purchase("jo", "1", key="k"), may_enrol=True)

    [outcome] = record(program, known_as("new", "2", key="k"), may_enrol=True)

    assert isinstance(outcome, Refused)
    assert Member.objects.count() == 1
    assert AnonymousProfile.objects.get().merged_into is None


def test_a_blocked_member_is_merged_with_nobody(program):
    make_member(program, "jo", is_blocked=True)
    record(program, seen("5"))

    [outcome] = record(program, known_as("jo"))

    assert isinstance(outcome.error, BlockedMember)
    assert AnonymousProfile.objects.get().merged_into is None


def test_the_anonymous_id_of_a_blocked_member_is_refused(program, member):
    record(program, known_as("jo"))
    Member.objects.update(is_blocked=True)

    [outcome] = record(program, seen())

    assert isinstance(outcome.error, BlockedMember)


def test_the_same_anonymous_id_in_another_program_is_somebody_else(program, member):
    other = make_program()
    make_type(other)
    record(program, known_as("jo"))

    [outcome] = record(other, seen())

    assert outcome.member_id is None
    assert AnonymousProfile.objects.count() == 2


def test_a_member_is_found_by_what_else_it_is_known_as(program, member):
    Identity.objects.create(
        program=program, member=member, kind="email", value="jo@example.com"
    )
    command = purchase("new", "3", also_known_as=(("email", "jo@example.com"),))

    [outcome] = record(program, command, may_enrol=True)

    assert outcome.member_id == member.pk
    # From now on the new identity alone is enough.
    [again] = record(program, purchase("new", "4"), may_enrol=True)
    assert again.member_id == member.pk
    assert Member.objects.count() == 1


def test_a_known_identity_goes_before_what_else_is_said(program, member):
    other = make_member(program, "lou")
    Identity.objects.create(
        program=program, member=other, kind="email", value="lou@example.com"
    )
    command = purchase("jo", "3", also_known_as=(("email", "lou@example.com"),))

    [outcome] = record(program, command)

    assert outcome.member_id == member.pk


def test_what_else_is_known_tells_who_is_behind_an_anonymous_id(program, member):
    Identity.objects.create(
        program=program, member=member, kind="email", value="jo@example.com"
    )
    record(program, seen("5"))

    record(program, seen("1", also_known_as=(("email", "jo@example.com"),)))

    assert AnonymousProfile.objects.get().merged_into == member


def test_nobody_is_enrolled_for_what_else_is_known(program):
    command = purchase("new", also_known_as=(("email", "jo@example.com"),))

    record(program, command, may_enrol=True)

    assert [(one.kind, one.value) for one in Identity.objects.all()] == [
        ("customer_id", "new")
    ]


def test_a_natural_key_is_the_same_request_whatever_else_differs(program, member):
    one = purchase("jo", "5", key="k", has_natural_key=True)
    other = purchase("jo", "5", key="k", has_natural_key=True, channel=None, data={})

    first = record(program, one)
    again = record(program, known_as("jo", "9", key="k", has_natural_key=True), other)

    assert all(isinstance(one, Recorded) and one.is_replay for one in again)
    assert {one.activity_id for one in again} == {first[0].activity_id}


def test_a_profile_can_be_merged_by_itself(program, member):
    allow(program, "all")
    record(program, seen("5"), seen("7"))

    log = merge(program, member)

    assert (log.activity_count, log.points_policy) == (2, "all")
    assert balance(member) == 12
    assert not list(ledger_mismatches())


def test_merging_again_does_nothing_and_tells_whose_it_is(program, member):
    allow(program, "all")
    other = make_member(program, "lou")
    record(program, seen("5"))
    first = merge(program, member)

    again = merge(program, other)

    assert (again.pk, again.member) == (first.pk, member)
    assert (balance(member), balance(other)) == (5, 0)


def test_a_profile_without_activities_can_be_merged(program, member):
    AnonymousProfile.objects.create(program=program, anonymous_id="cookie-1")

    assert merge(program, member).activity_count == 0


def test_a_merge_of_nobody_is_refused(program, member):
    with pytest.raises(UnknownProfile):
        merge(program, member)


def test_a_merge_into_nobody_or_into_another_program_is_refused(program, member):
    record(program, seen())
    stranger = make_member(make_program(), "jo")

    for one in (Member(pk=0), stranger):
        with pytest.raises(UnknownMember):
            merge(program, one)


def test_a_merge_into_a_blocked_member_is_refused(program):
    record(program, seen())

    with pytest.raises(BlockedMember):
        merge(program, make_member(program, is_blocked=True))


def test_a_disabled_program_merges_nothing(program, member):
    record(program, seen())
    Program.objects.update(is_enabled=False)

    with pytest.raises(ProgramDisabled):
        merge(program, member)


def test_the_database_keeps_merges(program, member):
    record(program, seen())
    log = merge(program, member)
    other = make_member(program, "lou")
    profile = AnonymousProfile.objects.all()

    for change in (
        lambda: profile.update(merged_into=other),
        lambda: profile.update(merged_into=None),
        lambda: ProfileMerge.objects.update(member=other),
        log.delete,
    ):
        with pytest.raises(Error, match=r"stays|append-only"), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
def test_the_database_keeps_profiles_inside_their_program(program):
    stranger = make_member(make_program())

    with pytest.raises(Error, match="another program"):
        AnonymousProfile.objects.create(
            program=program, anonymous_id="x", merged_into=stranger
        )


def test_a_merge_takes_as_many_queries_for_many_activities_as_for_few(
    program, member, django_assert_num_queries, django_assert_max_num_queries
):
    allow(program, "all")
    record(program, purchase("jo", "1"), seen(name="few"))
    record(program, *[seen(name="many") for _ in range(40)])

    with django_assert_max_num_queries(40) as few:
        merge(program, member, "few")

    with django_assert_num_queries(len(few)):
        merge(program, member, "many")


def _lifetime():
    from loyalty.models import FrequencyPeriod

    return FrequencyPeriod.objects.get(unit="lifetime").pk


def test_what_was_undone_and_moved_stays_undone_once(program, member):
    allow(program, "all")
    [first] = record(program, seen("5"))
    [second] = record(program, known_as("jo", "1"))

    for _ in range(2):
        ids = [first.activity_id, second.activity_id]
        reverse_activities(program.pk, ids, now=LATER, reason="x")

    assert balance(member) == 0
    assert list(ledger_mismatches()) == []


@pytest.mark.parametrize("policy", ["off", "hours", "all"])
@pytest.mark.parametrize("has_merged", [False, True])
def test_a_simulation_decides_with_the_merge_that_a_recording_would_carry_out(
    program, member, policy, has_merged
):
    allow(program, policy, hours=1)
    # One award a day: what is moved along may use it up.
    make_campaign(program, points=7, cap_count=1, frequency_period_id=2)
    record(program, seen("5", occurred_at=NOON - timedelta(hours=3)), seen("5"))
    if has_merged:
        record(program, known_as("jo", "2"))
    commands = [
        known_as("jo", "1", occurred_at=NOON + timedelta(minutes=90)),
        seen("3", occurred_at=NOON + timedelta(minutes=95)),
    ]
    before = Activity.objects.count(), ProfileMerge.objects.count()

    simulated = simulate_activities(program.pk, commands, now=LATER)

    assert (Activity.objects.count(), ProfileMerge.objects.count()) == before
    recorded = record(program, *commands)
    assert [one.decision.awards for one in simulated] == [
        one.decision.awards for one in recorded
    ]
    assert [one.decision.rejections for one in simulated] == [
        one.decision.rejections for one in recorded
    ]
