"""Samples and figures: statistics, raw HTTP calls, instruction counts, CPU quota."""
