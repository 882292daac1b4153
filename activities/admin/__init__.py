"""The admin pages of activities and of the files they come in."""

from activities.admin import activities, uploads

__all__ = ["activities", "uploads"]
