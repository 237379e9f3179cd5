"""One module for each goal of docs/performance.md; the runner finds them by listing."""
