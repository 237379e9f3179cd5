"""What never ships in a function: command line, sandbox, local gateway and timers."""
