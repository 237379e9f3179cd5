"""Goals about a process that has just started."""
