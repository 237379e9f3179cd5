"""Compares the published contract with that of the last release."""
