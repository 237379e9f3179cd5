"""Brings causes about in real runs, and reads where they are named."""
