"""The admin pages of campaigns, quests and lists of products."""

from campaigns.admin import campaigns, groups, item_lists, participants, quests

__all__ = ["campaigns", "groups", "item_lists", "participants", "quests"]
