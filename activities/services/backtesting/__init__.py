"""Trying campaigns out on what members really did; nothing is paid."""

from activities.services.backtesting.leases import stalled_backtests
from activities.services.backtesting.replaying import Replay
from activities.services.backtesting.running import replayed, run_backtest
from activities.services.backtesting.starting import (
    BacktestEnded,
    BacktestNotFailed,
    EmptyPeriod,
    NewBacktest,
    cancel_backtest,
    create_backtest,
    recorded_span,
    restart_backtest,
)
from activities.services.backtesting.trial import Span, UnknownTrial, trial_programme

__all__ = [
    "BacktestEnded",
    "BacktestNotFailed",
    "EmptyPeriod",
    "NewBacktest",
    "Replay",
    "Span",
    "UnknownTrial",
    "cancel_backtest",
    "create_backtest",
    "recorded_span",
    "replayed",
    "restart_backtest",
    "run_backtest",
    "stalled_backtests",
    "trial_programme",
]
