"""Tencent Cloud on loopback: its API, which verifies what it is asked."""
