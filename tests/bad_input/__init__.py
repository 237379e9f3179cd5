"""Generated bad input: no uncaught exception, no 5xx, no hang, no echo of the input."""
