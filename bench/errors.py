"""The failure of a benchmark run itself."""


class BenchError(Exception):
    """Nothing could be measured, for the reason in the text."""
