"""The native REST API: what all of its parts share, and the program's resources."""
