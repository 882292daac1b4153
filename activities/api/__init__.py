"""The native REST API: activities and uploads."""
