"""The remote services of a run, each one process on loopback.

Only what the service and its peers call is emulated.
"""
