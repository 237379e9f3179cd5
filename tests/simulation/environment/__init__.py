"""Everything outside the service: platform, queue, stores, functions and callers."""
