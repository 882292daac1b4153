"""Reading tables as people and tills export them: CSV in any spelling, and Excel."""
