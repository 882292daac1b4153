"""The native REST API: campaigns and lists of products."""
