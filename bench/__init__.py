"""Measures what the service costs beside a naive peer, on emulators, in one run."""
