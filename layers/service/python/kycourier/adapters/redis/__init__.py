"""Implements the ports on Redis, one module each, over its own connections."""
