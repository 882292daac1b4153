"""Models of campaigns."""

from campaigns.models.campaigns import (
    BASKETLESS,
    PER_ACTIVITY,
    USAGE_SLOTS,
    BudgetPolicy,
    Campaign,
    CampaignUsage,
    Context,
    Handling,
)
from campaigns.models.groups import AssignedGroup, AssignedGroupKind, CampaignGroup
from campaigns.models.items import ItemList, ListedItem
from campaigns.models.methods import RewardMethod
from campaigns.models.quests import (
    OptInMode,
    Quest,
    QuestContribution,
    QuestOptIn,
    QuestRequirement,
    QuestStatus,
)

__all__ = [
    "BASKETLESS",
    "PER_ACTIVITY",
    "USAGE_SLOTS",
    "AssignedGroup",
    "AssignedGroupKind",
    "BudgetPolicy",
    "Campaign",
    "CampaignGroup",
    "CampaignUsage",
    "Context",
    "Handling",
    "ItemList",
    "ListedItem",
    "OptInMode",
    "Quest",
    "QuestContribution",
    "QuestOptIn",
    "QuestRequirement",
    "QuestStatus",
    "RewardMethod",
]
