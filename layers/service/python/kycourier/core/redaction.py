"""Values that never print themselves, and tracebacks without their variables."""

import hmac
from collections.abc import Callable, Iterator
from functools import wraps
from traceback import clear_frames
from typing import Generic, NoReturn, ParamSpec, TypeVar

from kycourier.core.errors import KycourierError

T = TypeVar("T")
C = TypeVar("C", bound=type)
P = ParamSpec("P")
R = TypeVar("R")


class Redacted(Generic[T]):
    """A value that only `expose` returns; repr, format, JSON and pickle do not."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def expose(self) -> T:
        """Returns the value, to be used at once and not kept."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(redacted)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self._value, other._value
        if isinstance(mine, str) and isinstance(theirs, str):
            return hmac.compare_digest(mine.encode(), theirs.encode())
        return bool(mine == theirs)

    __hash__ = None  # type: ignore[assignment]  # a hash would order them


class Secret(Redacted[str]):
    """A ticket, token, app secret, signature or key."""

    __slots__ = ()


class PhotoBytes(Redacted[bytes]):
    """A photo's bytes, never decoded to pixels."""

    __slots__ = ()


class ReplyBody(Redacted[bytes]):
    """A response's body, which may hold personal data and photos."""

    __slots__ = ("__weakref__",)  # its memory slot is released with it


class RequestBody(Redacted[bytes]):
    """A request's body, which may hold its signature."""

    __slots__ = ()


class Query(Redacted[tuple[tuple[str, str], ...]]):
    """A request's query pairs, which may hold secret, token and signature."""

    __slots__ = ()


def repr_only(*names: str) -> Callable[[C], C]:
    """Limits a class's repr to these fields, and forbids pickling it.

    For a class with fields that must not be shown: input, credentials, dates.
    """

    def fields(self: object) -> Iterator[tuple[str, object]]:
        return ((name, getattr(self, name)) for name in names)

    def show(self: object) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in fields(self))
        return f"{type(self).__name__}({shown})"

    def refuse(self: object, _: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied")

    methods = {"__repr__": show, "__rich_repr__": fields, "__reduce_ex__": refuse}

    def decorate(kind: C) -> C:
        for name, method in methods.items():
            setattr(kind, name, method)
        return kind

    return decorate


def error_fields(error: BaseException) -> dict[str, str]:
    """Returns an error's log fields: our code and reason, or a foreign class name.

    The words of a reason are joined by `_`.
    """
    if not isinstance(error, KycourierError):
        return {"error": type(error).__name__}
    problem = {"problem": error.reason.replace(" ", "_")} if error.reason else {}
    return {"error": error.code, **problem}


def scrub_traceback(work: Callable[P, R]) -> Callable[P, R]:
    """Removes the local variables from the traceback of what `work` raises.

    Crash reporters print variables, and those may hold secrets; the line numbers stay.
    The arguments of `work` itself stay too: they must redact themselves.
    """

    @wraps(work)
    def scrubbed(*args: P.args, **options: P.kwargs) -> R:
        try:
            return work(*args, **options)
        except Exception as error:  # raised again, whatever it is
            scrub_frames(error)
            raise

    return scrubbed


def scrub_frames(error: BaseException) -> None:
    """Clears the frames of an error and its causes; our errors lose their causes."""
    if isinstance(error, KycourierError):
        error.__cause__ = error.__context__ = None
    each: BaseException | None = error
    while each is not None:
        clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
