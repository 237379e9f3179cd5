"""Values that do not show themselves: tickets, secrets, card numbers, photos."""

import hmac
from collections.abc import Callable, Iterator
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")
C = TypeVar("C", bound=type)


class Hidden(Generic[T]):
    """A value that only `reveal` gives out; repr, format, JSON and pickle do not."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Give the value out, to be used at once and not kept."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not to be pickled or copied")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self._value, other._value
        if isinstance(mine, str) and isinstance(theirs, str):
            return hmac.compare_digest(mine.encode(), theirs.encode())
        return bool(mine == theirs)

    __hash__ = None  # type: ignore[assignment]  # a hash would order them


def shows(*names: str) -> Callable[[C], C]:
    """Let a type of values show these fields alone, and be pickled by nobody.

    For one that holds more than may be seen: what was sent to us, credentials, dates.
    """

    def tell(self: object) -> Iterator[tuple[str, object]]:
        return ((name, getattr(self, name)) for name in names)

    def spell(self: object) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in tell(self))
        return f"{type(self).__name__}({shown})"

    def refuse(self: object, _: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not to be pickled or copied")

    methods = {"__repr__": spell, "__rich_repr__": tell, "__reduce_ex__": refuse}

    def dress(kind: C) -> C:
        for name, method in methods.items():
            setattr(kind, name, method)
        return kind

    return dress


class Secret(Hidden[str]):
    """A ticket, token, app secret, signature or key."""

    __slots__ = ()


class CardNumber(Hidden[str]):
    """The card number as the platform spelled it: any text, `xxxx…` included."""

    __slots__ = ()


class PhotoBytes(Hidden[bytes]):
    """A photo's bytes, never decoded to pixels."""

    __slots__ = ()


class ReplyBody(Hidden[bytes]):
    """A reply's body, which may hold card number and photos."""

    __slots__ = ("__weakref__",)  # what it took is given back when it is let go


class Query(Hidden[tuple[tuple[str, str], ...]]):
    """A request's query pairs, which may hold secret, token and signature."""

    __slots__ = ()
