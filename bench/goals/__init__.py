"""The goals of docs/performance.md, one module `gNN_*.py` each, found by listing."""
