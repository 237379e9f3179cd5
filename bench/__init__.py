"""The bench: what the service costs beside the naive peer, in one run."""
