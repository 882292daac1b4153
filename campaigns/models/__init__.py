"""Models of campaigns."""

from campaigns.models.campaigns import BudgetPolicy, Campaign, CampaignUsage, Context
from campaigns.models.items import ItemList, ListedItem

__all__ = [
    "BudgetPolicy",
    "Campaign",
    "CampaignUsage",
    "Context",
    "ItemList",
    "ListedItem",
]
