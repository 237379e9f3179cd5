"""The zips that are deployed: built here without Docker, the same bytes each time."""
