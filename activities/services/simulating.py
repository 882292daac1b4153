"""Trying one activity against what is live and what is still a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from activities.services.backtesting.trial import trial_programme
from activities.services.commands import Refused
from activities.services.recording import simulate_activities
from loyalty.engine.programme import is_for_activities
from loyalty.errors import LoyaltyError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from activities.services.commands import RecordActivity
    from loyalty.engine.decisions import Decision
    from loyalty.engine.programme import Programme


class NotSetOffByActivities(LoyaltyError):
    """A campaign to be tried waits for something else than activities."""

    code = "not_set_off_by_activities"


class Simulated(NamedTuple):
    """What an activity would earn, and under which configuration."""

    member_id: int | None
    decision: Decision
    programme: Programme


def simulate_activity(
    program_id: int,
    command: RecordActivity,
    *,
    now: datetime,
    with_campaigns: Collection[int] = (),
    may_enrol: bool = False,
) -> Simulated:
    """Decide one activity as it would be recorded, and write nothing.

    The campaigns of ``with_campaigns`` count as enabled. Their dates count as ever:
    to try a campaign that has not started, let the activity happen later; moments
    that lie ahead are decided as if they had come. Each of them is decided about even
    where nothing speaks for it, so that the decision names the reason.

    Args:
        program_id: the program of all of them.
        command: the activity; its key must be new.
        now: aware.
        with_campaigns: by number.
        may_enrol: an identity that nobody has is a member who joins with it.

    Raises:
        UnknownTrial: the program has no such campaign.
        NotSetOffByActivities: one of them cannot pay for any activity.
        LoyaltyError: the activity would be refused, and why.
    """
    programme = trial_programme(program_id, with_campaigns)
    for campaign_id in sorted(with_campaigns):
        if not is_for_activities(programme.offers[campaign_id]):
            raise NotSetOffByActivities(
                f"Campaign {campaign_id} is not set off by activities.",
                field="with_campaigns",
            )
    then = max(now, command.occurred_at)
    (outcome,) = simulate_activities(
        program_id,
        [replace(command, received_at=then)],
        now=then,
        may_enrol=may_enrol,
        programme=programme,
        always=with_campaigns,
    )
    if isinstance(outcome, Refused):
        raise outcome.error
    if outcome.decision is None:
        raise AssertionError("A key that was just made up cannot be known.")
    return Simulated(outcome.member_id, outcome.decision, programme)
