"""The failure of a benchmark run itself."""


class BenchError(Exception):
    """Nothing could be measured; the text says why."""
