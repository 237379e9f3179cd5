"""Checking evidence against its manifests."""
