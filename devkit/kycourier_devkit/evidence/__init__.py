"""Verifies stored evidence against its manifests; changes nothing."""
