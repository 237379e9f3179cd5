"""Goals about the time and CPU of orders in a process that is warm."""
