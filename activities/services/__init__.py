"""Use cases of activities: the only ways in which one enters or is undone."""

from activities.services.commands import (
    BlockedMember,
    DisabledBusinessUnit,
    DisabledChannel,
    Implausible,
    KeyReused,
    Line,
    NegativeValue,
    NoExchangeRate,
    OccurredTooLongAgo,
    OccursInTheFuture,
    Outcome,
    ProgramDisabled,
    RecordActivity,
    Recorded,
    Refused,
    UnknownActivityType,
    UnknownBusinessUnit,
    UnknownChannel,
    UnknownMember,
    ValueTooLarge,
)
from activities.services.recording import (
    record_activities,
    record_activity,
    simulate_activities,
)
from activities.services.reversing import reverse_activities
from activities.services.simulating import simulate_activity
from loyalty.ledger import AmountTooLarge

__all__ = [
    "AmountTooLarge",
    "BlockedMember",
    "DisabledBusinessUnit",
    "DisabledChannel",
    "Implausible",
    "KeyReused",
    "Line",
    "NegativeValue",
    "NoExchangeRate",
    "OccurredTooLongAgo",
    "OccursInTheFuture",
    "Outcome",
    "ProgramDisabled",
    "RecordActivity",
    "Recorded",
    "Refused",
    "UnknownActivityType",
    "UnknownBusinessUnit",
    "UnknownChannel",
    "UnknownMember",
    "ValueTooLarge",
    "record_activities",
    "record_activity",
    "reverse_activities",
    "simulate_activities",
    "simulate_activity",
]
