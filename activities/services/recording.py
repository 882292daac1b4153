"""The recording use case: the only way in which an activity enters.

Gather the facts of the whole batch with a fixed number of queries, decide in
memory in order of occurrence per member, apply with one COPY per table. Live
calls, uploads, simulation and backtests all come through here, so they cannot
disagree.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, OperationalError, transaction

from activities.services import applying, gathering, identifying, known_keys
from activities.services.actors import find_actors
from activities.services.batch import Batch, random_seed
from activities.services.checking import check_amounts, check_commands
from activities.services.commands import Implausible, ProgramDisabled, Recorded, Refused
from activities.services.segments import note_moved
from campaigns.services.budgets import Overtaken
from campaigns.services.programme import current_programme, programme_for_update
from loyalty import ledger
from loyalty.engine.evaluation import absorb, consume, evaluate
from loyalty.engine.plausible import doubt_about_points
from loyalty.services import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from activities.services.batch import Draft
    from activities.services.commands import Outcome, RecordActivity
    from loyalty.engine.decisions import Decision
    from loyalty.engine.facts import Budget
    from loyalty.engine.programme import Programme
    from loyalty.errors import LoyaltyError

_TRIES = 4


def record_activity(
    program_id: int, command: RecordActivity, *, now: datetime
) -> Recorded:
    """Record one activity.

    Raises:
        LoyaltyError: the refusal; nothing was stored and the key is free.
    """
    outcome = record_activities(program_id, [command], now=now)[0]
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome


def record_activities(
    program_id: int,
    commands: Sequence[RecordActivity],
    *,
    now: datetime,
    may_enrol: bool = False,
    upload_id: int | None = None,
    random_source: Callable[[], int] = random_seed,
) -> list[Outcome]:
    """Record a batch: every command is recorded, replayed or refused on its own.

    Args:
        program_id: the program that all of them belong to.
        commands: any order; each member's are decided by time, then key.
        now: aware; the moment that rows bear as ``created_at``.
        may_enrol: enrol members whose identity nobody has, instead of refusing.
        upload_id: the upload they come from.
        random_source: returns numbers of 128 bits for draws.

    Returns:
        One outcome for each command, in the order of the commands.

    Locks the configuration (shared), then anonymous profiles, then the members,
    then the stock of voucher codes, and at the end the usage of budgets. A key
    claimed by somebody else between looking and writing makes the whole batch start
    again; it then sees the other's row. So does a budget spent by somebody else;
    its usage is then locked before deciding.

    Raises:
        ProgramDisabled: the program takes no calls.
        AmountTooLarge: a balance would grow beyond what an account can hold.
    """
    locks_usage = False
    seeds: dict[tuple[str, str], int] = {}
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                programme = programme_for_update(program_id)
                batch = _start(programme, commands, now)
                batch.random_source = random_source
                batch.seeds = seeds
                batch.locks_usage = locks_usage
                batch = _with_actors(batch, may_enrol=may_enrol, lock=True)
                decide_and_apply(batch, upload_id)
            return _counted(batch.final_outcomes())
        except Overtaken:
            if not tries_left:
                raise
            locks_usage = True
        except (IntegrityError, OperationalError):
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _counted(outcomes: list[Outcome]) -> list[Outcome]:
    """Count outcomes for the site's metrics, and return them."""
    kinds = Counter(
        one.error.code
        if isinstance(one, Refused)
        else ("replayed" if one.is_replay else "recorded")
        for one in outcomes
    )
    for kind, count in kinds.items():
        metrics.ACTIVITIES.labels(kind).inc(count)
    return outcomes


def simulate_activities(  # noqa: PLR0913 (what a dry run may try and carry along)
    program_id: int,
    commands: Sequence[RecordActivity],
    *,
    now: datetime,
    may_enrol: bool = False,
    programme: Programme | None = None,
    budgets: dict[int, Budget] | None = None,
    always: Collection[int] = (),
) -> list[Outcome]:
    """Decide a batch as ``record_activities`` would, and write nothing.

    ``programme`` tries another configuration; ``budgets`` carries what is left of
    budgets from one call to the next, for a dry run in several batches. ``always``
    are campaigns, by number, that the decision names even where they could not have
    paid. Nothing is locked, so the true recording may differ if somebody else comes
    first.
    """
    batch = _start(programme or current_programme(program_id), commands, now)
    if budgets is not None:
        batch.budgets = budgets
    batch.always = tuple(batch.programme.offers[one] for one in always)
    batch = _with_actors(batch, may_enrol=may_enrol, lock=False)
    # What a merge would bring along counts: it may use up caps and raise the tier.
    identifying.find_earlier(batch)
    _gather_facts(batch, lock=False)
    _decide(batch)
    for draft in batch.drafts:
        if draft.place >= 0:
            batch.outcomes[draft.place] = Recorded(
                0, draft.member_id, decision=draft.decision
            )
    return batch.final_outcomes()


def _start(
    programme: Programme, commands: Sequence[RecordActivity], now: datetime
) -> Batch:
    if not programme.is_enabled:
        raise ProgramDisabled("This program is disabled.")
    batch = Batch(programme, list(commands), now, outcomes=[None] * len(commands))
    check_commands(batch)
    return batch


def _with_actors(batch: Batch, *, may_enrol: bool, lock: bool) -> Batch:
    """Return the batch with its actors, without what its keys refuse.

    Nobody is known by what a refused command says: whoever follows it in the batch
    is looked up again without it.
    """
    while True:
        find_actors(batch, may_enrol=may_enrol, lock=lock)
        if lock:
            gathering.lock_members(batch)
        named = batch.drafts
        known_keys.answer_known_keys(batch)
        # After the keys: what stands is answered, whatever has become of the bounds.
        check_amounts(batch)
        misleading = [
            draft.place
            for draft in named
            if isinstance(batch.outcomes[draft.place], Refused)
            and (draft.command.anonymous_id or draft.command.also_known_as)
        ]
        if not misleading or not batch.drafts:
            return batch
        batch = _without(batch, misleading)


def _without(batch: Batch, places: list[int]) -> Batch:
    """Return the batch as it began, but for some commands that stay refused."""
    again = _start(batch.programme, batch.commands, batch.now)
    again.budgets = batch.budgets
    again.random_source = batch.random_source
    again.always = batch.always
    again.seeds = batch.seeds
    again.locks_usage = batch.locks_usage
    again.drafts = [draft for draft in again.drafts if draft.place not in places]
    for place in places:
        again.outcomes[place] = batch.outcomes[place]
    return again


def decide_and_apply(batch: Batch, upload_id: int | None = None) -> None:
    """Carry a batch through whose actors are known and locked.

    What its merges bring along is decided with it, in order of occurrence.
    """
    identifying.find_earlier(batch)
    _gather_facts(batch, lock=True)
    _decide(batch)
    _apply(batch, upload_id)


def _gather_facts(batch: Batch, *, lock: bool) -> None:
    if not batch.drafts:
        return
    gathering.gather_histories(batch)
    gathering.find_candidates(batch)
    gathering.gather_completions(batch)
    gathering.gather_quests(batch)
    gathering.gather_budgets(batch, lock=lock)


def _decide(batch: Batch) -> None:
    """Decide every draft in order of occurrence, then of key.

    Not member by member: what is left of a budget goes to who came first.
    """
    refused: list[tuple[Draft, LoyaltyError]] = []
    rules = batch.programme.rules
    for draft in sorted(batch.drafts, key=lambda draft: draft.order):
        if draft.facts is None:
            continue
        history = batch.histories[draft.member_id]
        decision = evaluate(
            draft.facts,
            history,
            draft.rule.offer,
            draft.candidates,
            rules,
            batch.budgets,
            draft.quests,
        )
        error = _error_of(decision, draft, batch.programme)
        if error is not None:
            refused.append((draft, error))
            continue
        draft.decision = decision
        absorb(decision, draft.facts, history)
        consume(decision, batch.budgets)
    if refused:
        if batch.merges or any(draft.activity_id for draft, _ in refused):
            # What merges bring along is decided together or not at all.
            raise refused[0][1]
        batch.take_out(refused)


def _error_of(
    decision: Decision, draft: Draft, programme: Programme
) -> LoyaltyError | None:
    """Return why the points that were decided cannot be given, or None."""
    points = sum([award.points for award in decision.awards])
    # In the smallest unit of the finest wallet, as accounts keep it.
    held = decision.score_before // min(programme.scoring_wallets.values(), default=1)
    if points + held > ledger.AMOUNT_MAX:
        return ledger.too_large()
    # What stands already was plausible when it came.
    doubt = doubt_about_points(decision.awards, programme.limits)
    if doubt is None or draft.activity_id:
        return None
    return Implausible(doubt.sentence, field=doubt.field)


def _apply(batch: Batch, upload_id: int | None) -> None:
    if not batch.drafts and not batch.merges:
        return
    late_after = timedelta(hours=batch.programme.late_after_hours)
    applying.enrol_new_members(batch)
    applying.write_activities(batch, late_after, upload_id)
    identifying.carry_out_merges(batch)
    applying.post_points(batch)
    applying.issue_vouchers(batch)
    applying.write_draws(batch)
    note_moved(batch.programme, [draft.member_id for draft in batch.drafts])
    # The last, so that others who pay from the same budgets wait for the commit only.
    applying.take_from_budgets(batch)
