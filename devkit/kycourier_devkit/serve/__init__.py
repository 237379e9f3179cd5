"""Runs the functions behind a local HTTP gateway, a queue and timers."""
