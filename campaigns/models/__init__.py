"""Models of campaigns."""

from campaigns.models.campaigns import BudgetPolicy, Campaign, CampaignUsage, Context
from campaigns.models.items import ItemList, ListedItem
from campaigns.models.quests import (
    OptInMode,
    Quest,
    QuestContribution,
    QuestOptIn,
    QuestRequirement,
    QuestStatus,
)

__all__ = [
    "BudgetPolicy",
    "Campaign",
    "CampaignUsage",
    "Context",
    "ItemList",
    "ListedItem",
    "OptInMode",
    "Quest",
    "QuestContribution",
    "QuestOptIn",
    "QuestRequirement",
    "QuestStatus",
]
