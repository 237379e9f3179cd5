"""No type of ours shows what it holds, but for the fields that may be seen.

Every type of the package is found and tried. A new one that holds text either hides it
(`Hidden`, `@shows`) or has its field named here.
"""

import copy
import enum
import importlib
import pickle
import pkgutil
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from msgspec import Struct
from rich.pretty import pretty_repr

import kycourier
from canaries import CARD, MARK
from fakes import FakeClock
from kycourier.adapters.http_connection import TimedConnection, TimedTlsConnection
from kycourier.core.errors import KycourierError
from kycourier.core.hidden import Hidden, shows
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session
from leak_scan import find_leaks

CANARY = f"{MARK}{CARD}"

# Words of ours, identifiers that a pattern was held against, digests that events name.
MAY_BE_SEEN = {
    "Address": {"host"},
    "Code": {"code", "name", "meaning"},
    "Cursor": {"order_no"},
    "Effect": {"metric"},
    "Expected": {"traceparent"},
    "Fact": {"level", "metrics"},
    "Failure": {"reason"},
    "FingerprintKey": {"version"},
    "KycRequest": {"path"},
    "Lease": {"owner"},
    "Node": {"host"},
    "OrderKey": {"app_id", "order_no"},
    "OrderRecord": {
        "app_id", "order_no", "reason", "owner", "folder", "traceparent",
    },
    "OutboxEvent": {"id", "type"},
    "Photo": {"sha256", "media_type"},
    "Place": {"scheme"},
    "Refusal": {"code"},
    "Setting": {"name", "help", "default", "local"},
    "Settings": {"app_id", "kyc_url", "card_number", "api_auth"},
    "Settle": {"code", "name"},
    "StoredObject": {"kind", "key", "sha256", "media_type"},
    "Unanswered": {"name"},
    "HttpRequest": {"method"},
    "SignedRequest": {"method"},
    "_Envelope": {"source", "traceparent"},
    "_Message": {"id"},
    "_Warning": {"code", "name"},
}  # fmt: skip
# What a library's own repr shows, on the parts that hold something.
FROM_LIBRARIES: dict[type, Callable[[], object]] = {
    TimedConnection: lambda: TimedConnection("host", max_body_bytes=1),
    TimedTlsConnection: lambda: TimedTlsConnection("host", max_body_bytes=1),
}
TEXTS = (str, bytes, memoryview, object, typing.Any)


def types() -> Iterator[type]:
    """Find every class of the package whose objects are values of some kind."""
    for found in pkgutil.walk_packages(kycourier.__path__, "kycourier."):
        for kind in vars(importlib.import_module(found.name)).values():
            if isinstance(kind, type) and kind.__module__ == found.name:
                yield kind


TYPES = sorted(set(types()), key=lambda kind: (kind.__name__, kind.__module__))
VALUES = [
    kind for kind in TYPES if issubclass(kind, Struct) or hasattr(kind, "_fields")
]
HIDING = [kind for kind in TYPES if issubclass(kind, Hidden)]
FIELDS = [
    (kind, name)
    for kind in VALUES
    for name in getattr(kind, "__struct_fields__", getattr(kind, "_fields", ()))
]


def named(case: object) -> str:
    return case.__name__ if isinstance(case, type) else str(case)


def can_hold_text(hint: object) -> bool:
    """Tell whether a field of this type may hold what somebody wrote."""
    if hint in TEXTS or isinstance(hint, typing.TypeVar):
        return True
    if typing.get_origin(hint) is typing.get_origin(Callable[[], None]):
        return False
    return any(map(can_hold_text, typing.get_args(hint)))


def build(kind: type, field: str) -> object:
    """Build a value of which one field alone holds the canary."""
    names = [name for of, name in FIELDS if of is kind]
    return kind(**{name: CANARY if name == field else None for name in names})


def everything_shown(value: object) -> dict[str, bytes | str]:
    """Show a value as logs, terminals, debuggers and crash reporters do."""
    shown: dict[str, bytes | str] = {
        "repr": repr(value),
        "str": str(value),
        "format": f"{value}{value!r}{value!a}{[value]}{ {'of': value} }",
        "percent": "%s %r" % (value, value),  # noqa: UP031 - one of the ways
        "rich": pretty_repr(value),
    }
    with suppress(TypeError):
        shown["pickle"] = pickle.dumps(value, protocol=0)
    with suppress(TypeError):
        shown["copy"] = repr(copy.deepcopy(value))
    return shown


def is_shown(value: object) -> bool:
    return bool(find_leaks([CANARY], everything_shown(value)))


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=named)
def test_a_field_is_hidden_or_may_be_seen(kind, field):
    hint = typing.get_type_hints(kind)[field]
    may_be_seen = field in MAY_BE_SEEN.get(kind.__name__, ())
    shown = can_hold_text(hint) and is_shown(build(kind, field))
    assert shown == may_be_seen


def test_no_name_is_left_of_a_field_that_is_gone():
    fields = {kind.__name__: set() for kind, _ in FIELDS}
    for kind, name in FIELDS:
        fields[kind.__name__].add(name)
    assert len(fields) == len(VALUES)  # two types of one name would be taken for one
    for name, seen in MAY_BE_SEEN.items():
        assert seen <= fields[name], name


@pytest.mark.parametrize("kind", HIDING, ids=named)
def test_what_hides_itself_shows_nothing_and_is_not_pickled(kind):
    shown = everything_shown(kind(CANARY))
    assert find_leaks([CANARY], shown) == []
    assert not shown.keys() & {"pickle", "copy"}


@pytest.mark.parametrize(
    "kind",
    [kind for kind in TYPES if kind not in {*VALUES, *HIDING}],
    ids=named,
)
def test_any_other_type_shows_its_name_alone(kind):
    if issubclass(kind, enum.Enum | Exception) or getattr(kind, "_is_protocol", False):
        return  # constants of ours; words of ours; nothing that is ever made
    if kind in FROM_LIBRARIES:
        assert not is_shown(FROM_LIBRARIES[kind]())
        return
    for method in ("__repr__", "__str__", "__format__"):
        assert getattr(kind, method) is getattr(object, method)
    assert not hasattr(kind, "__rich_repr__")


def test_the_package_was_found_whole():
    names = {kind.__name__ for kind in TYPES}
    assert {"Secret", "OrderRecord", "KycHttp", "RedisServer", "StaleOwner"} <= names
    assert len(VALUES) > 50


class _Careless(Struct):
    token: str


@shows("order_no")
class _Careful(Struct):
    order_no: str
    token: str


def test_a_careless_type_is_found_out_and_a_careful_one_is_not():
    assert is_shown(_Careless(CANARY))
    assert not is_shown(_Careful("order1", CANARY))
    assert is_shown(_Careful(CANARY, ""))
    assert repr(_Careful("order1", CANARY)) == "_Careful(order_no='order1')"
    assert is_shown(KycourierError(CANARY))


def test_a_sessions_environment_is_not_shown():
    session = Session(
        environ={"AWS_SECRET_ACCESS_KEY": CANARY},
        folder=Path("/"),
        screen=Screen(StringIO(), StringIO()),
        clock=FakeClock(),
    )
    assert not is_shown(session)
