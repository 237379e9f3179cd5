"""Ports and port calls that raise one error."""

from collections.abc import Callable
from typing import NoReturn


def raising(error: BaseException | type[BaseException]) -> Callable[..., NoReturn]:
    """Return a function of any arguments that raises the error."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


class FailingPort:
    """A port whose every call raises the same error."""

    def __init__(self, error: BaseException | type[BaseException]) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return raising(self._error)
