"""Runs a function file of the checkout in a process of its own."""
