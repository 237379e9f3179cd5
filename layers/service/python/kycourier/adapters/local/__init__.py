"""Implements the ports on one machine with SQLite and files, one module each."""
