"""The commands for orders and tickets, run in this process with the service's code."""
