"""Deliberate bugs and leaks, and the runner that shows which tests catch them."""
