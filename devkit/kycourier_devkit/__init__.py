"""Development tools that never ship in a function: command line, sandbox, gateway."""
