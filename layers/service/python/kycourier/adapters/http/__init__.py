"""Holds the HTTP connections with deadlines that adapters share; no service's API."""
