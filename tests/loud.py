"""Every word of loggers that are turned up as far as they go."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Records(logging.Handler):
    """Keeps everything that a record carries."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [record.getMessage(), repr(vars(record)), self.format(record)]


@contextmanager
def listening(names: Iterable[str]) -> Iterator[Records]:
    """Listen at DEBUG to the root and to each of these loggers itself."""
    handler = Records()
    loggers = [logging.getLogger(name) for name in ("", *names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
