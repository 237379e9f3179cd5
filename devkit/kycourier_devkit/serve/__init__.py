"""The functions behind HTTP, a queue and timers, on loopback."""
