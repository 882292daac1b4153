"""The admin pages of campaigns, quests and lists of products."""

from campaigns.admin import campaigns, item_lists, quests

__all__ = ["campaigns", "item_lists", "quests"]
