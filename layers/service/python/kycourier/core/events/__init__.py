"""The events that are published; where evidence lies is in core/evidence.py."""
