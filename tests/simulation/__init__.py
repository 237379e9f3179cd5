"""Deterministic simulation: the real use cases on virtual time, one run per seed."""
