"""The admin pages of campaigns and their lists of products."""

from campaigns.admin import campaigns, item_lists

__all__ = ["campaigns", "item_lists"]
