"""Canaries, the scans that find them, and programs that log as much as they can."""
