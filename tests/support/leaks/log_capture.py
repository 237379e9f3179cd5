"""Captures everything that loggers emit from DEBUG."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class LogCapture(logging.Handler):
    """Keeps each record's message, attributes and formatted text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [record.getMessage(), repr(vars(record)), self.format(record)]


@contextmanager
def capture_logs(names: Iterable[str]) -> Iterator[LogCapture]:
    """Capture the root logger and each named logger from DEBUG."""
    handler = LogCapture()
    loggers = [logging.getLogger(name) for name in ("", *names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
