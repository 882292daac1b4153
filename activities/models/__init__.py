"""Models of activities and of the files they come in."""

from activities.models.activities import Activity, ActivityReversal
from activities.models.backtests import Backtest, BacktestDates, BacktestStatus
from activities.models.interactions import Draw, Interaction
from activities.models.ledger_checks import LedgerCheck
from activities.models.logins import LoginSession, MemberApp
from activities.models.mappings import UploadMapping
from activities.models.merging import LateDecision, ProfileMerge
from activities.models.segments import RuleSegment, SegmentRecheck
from activities.models.uploads import (
    ChunkStatus,
    UnknownMemberPolicy,
    Upload,
    UploadChunk,
    UploadFormat,
    UploadPhase,
    UploadRefusal,
    UploadRow,
    UploadStatus,
    UploadStep,
)

__all__ = [
    "Activity",
    "ActivityReversal",
    "Backtest",
    "BacktestDates",
    "BacktestStatus",
    "ChunkStatus",
    "Draw",
    "Interaction",
    "LateDecision",
    "LedgerCheck",
    "LoginSession",
    "MemberApp",
    "ProfileMerge",
    "RuleSegment",
    "SegmentRecheck",
    "UnknownMemberPolicy",
    "Upload",
    "UploadChunk",
    "UploadFormat",
    "UploadMapping",
    "UploadPhase",
    "UploadRefusal",
    "UploadRow",
    "UploadStatus",
    "UploadStep",
]
