"""The repr of each type of the package shows only fields that are allowed here.

A new type with text hides it (`Redacted`, `@repr_only`), or its field is added here.
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
from kycourier.adapters.http.connections import (
    DeadlineConnection,
    DeadlineTlsConnection,
)
from kycourier.core.errors import KycourierError
from kycourier.core.redaction import Redacted, repr_only
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from support.fakes import FakeClock
from support.leaks.canaries import CARD, MARK
from support.leaks.leak_scan import find_leaks

CANARY = f"{MARK}{CARD}"

# Constants, identifiers that match a pattern, digests that events hold.
ALLOWED = {
    "CallFailure": {"reason"},
    "CodeTable": {"codes", "warnings"},
    "CollectedResult": {"photos_missing"},
    "RefusedResult": {"photos_missing"},
    "Cursor": {"order_no"},
    "Delivery": {"problem"},
    "Effect": {"metric"},
    "FindCursor": {"order_no"},
    "FinalReason": {"code", "name"},
    "FingerprintKey": {"version"},
    "Finish": {"code", "name"},
    "HttpRequest": {"method"},
    "IssuerTable": {"source", "licence", "banks", "ranges"},
    "KycRequest": {"path"},
    "LastProblem": {"code", "detail"},
    "Lease": {"owner"},
    "LogEvent": {"level", "metrics"},
    "Message": {"id"},
    "Node": {"host"},
    "OrderKey": {"app_id", "order_no"},
    "OrderRecord": {
        "app_id", "order_no", "reason", "owner", "folder", "traceparent",
        "photos_gone",
    },
    "OrderRequest": {"traceparent"},
    "OutboxEvent": {"id", "type"},
    "Photo": {"kind", "sha256", "media_type"},
    "Problem": {"code", "detail"},
    "RecipientKey": {"algorithm"},
    "RedisUrl": {"host"},
    "Rejected": {"code", "name"},
    "ResourceUrl": {"scheme"},
    "ResultCode": {"code", "name", "meaning"},
    "Setting": {"name", "help", "default", "local"},
    "Settings": {"app_id", "kyc_url", "api_auth", "id_card_sides", "face_files"},
    "SignedRequest": {"method"},
    "StoredObject": {"kind", "key", "sha256", "media_type"},
    "_Range": {"bank_code", "card_type"},
    "_Warning": {"code", "name"},
}  # fmt: skip
# Types whose repr is a library's, built with the parts that hold something.
LIBRARY_REPRS: dict[type, Callable[[], object]] = {
    DeadlineConnection: lambda: DeadlineConnection("host", max_body_bytes=1),
    DeadlineTlsConnection: lambda: DeadlineTlsConnection("host", max_body_bytes=1),
}
TEXTS = (str, bytes, memoryview, object, typing.Any)


def types() -> Iterator[type]:
    """Yield every class of the package."""
    for found in pkgutil.walk_packages(kycourier.__path__, "kycourier."):
        for kind in vars(importlib.import_module(found.name)).values():
            if isinstance(kind, type) and kind.__module__ == found.name:
                yield kind


TYPES = sorted(set(types()), key=lambda kind: (kind.__name__, kind.__module__))
VALUES = [
    kind for kind in TYPES if issubclass(kind, Struct) or hasattr(kind, "_fields")
]
HIDING = [kind for kind in TYPES if issubclass(kind, Redacted)]
FIELDS = [
    (kind, name)
    for kind in VALUES
    for name in getattr(kind, "__struct_fields__", getattr(kind, "_fields", ()))
]


def case_name(case: object) -> str:
    return case.__name__ if isinstance(case, type) else str(case)


def can_hold_text(hint: object) -> bool:
    """Return whether a field of this type may hold text."""
    if hint in TEXTS or isinstance(hint, typing.TypeVar):
        return True
    if typing.get_origin(hint) is typing.get_origin(Callable[[], None]):
        return False
    return any(map(can_hold_text, typing.get_args(hint)))


def build(kind: type, field: str) -> object:
    """Build a value with the canary in one field."""
    names = [name for of, name in FIELDS if of is kind]
    return kind(**{name: CANARY if name == field else None for name in names})


def representations(value: object) -> dict[str, bytes | str]:
    """Return a value as logs, terminals, debuggers and crash reporters show it."""
    shown: dict[str, bytes | str] = {
        "repr": repr(value),
        "str": str(value),
        "format": f"{value}{value!r}{value!a}{[value]}{ {'of': value} }",
        "percent": "%s %r" % (value, value),  # noqa: UP031 - one of the ways to show it
        "rich": pretty_repr(value),
    }
    with suppress(TypeError):
        shown["pickle"] = pickle.dumps(value, protocol=0)
    with suppress(TypeError):
        shown["copy"] = repr(copy.deepcopy(value))
    return shown


def leaks(value: object) -> bool:
    return bool(find_leaks([CANARY], representations(value)))


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=case_name)
def test_field_is_hidden_or_allowed(kind, field):
    hint = typing.get_type_hints(kind)[field]
    is_allowed = field in ALLOWED.get(kind.__name__, ())
    is_visible = can_hold_text(hint) and leaks(build(kind, field))
    assert is_visible == is_allowed


def test_allowed_fields_exist():
    fields = {kind.__name__: set() for kind, _ in FIELDS}
    for kind, name in FIELDS:
        fields[kind.__name__].add(name)
    assert len(fields) == len(VALUES)  # type names are unique
    for name, allowed in ALLOWED.items():
        assert allowed <= fields[name], name


@pytest.mark.parametrize("kind", HIDING, ids=case_name)
def test_hidden_value_is_neither_shown_nor_pickled(kind):
    shown = representations(kind(CANARY))
    assert find_leaks([CANARY], shown) == []
    assert not shown.keys() & {"pickle", "copy"}


@pytest.mark.parametrize(
    "kind",
    [kind for kind in TYPES if kind not in {*VALUES, *HIDING}],
    ids=case_name,
)
def test_any_other_type_shows_only_its_name(kind):
    if issubclass(kind, enum.Enum | Exception) or getattr(kind, "_is_protocol", False):
        return  # constants, fixed texts, never instantiated
    if kind in LIBRARY_REPRS:
        assert not leaks(LIBRARY_REPRS[kind]())
        return
    for method in ("__repr__", "__str__", "__format__"):
        assert getattr(kind, method) is getattr(object, method)
    assert not hasattr(kind, "__rich_repr__")


def test_all_types_of_the_package_are_found():
    names = {kind.__name__ for kind in TYPES}
    assert {
        "Secret",
        "OrderRecord",
        "HttpKycTransport",
        "RedisClient",
        "StaleOwnerError",
    } <= names
    assert len(VALUES) > 50


class _Careless(Struct):
    token: str


@repr_only("order_no")
class _Careful(Struct):
    order_no: str
    token: str


def test_type_without_hiding_is_detected():
    assert leaks(_Careless(CANARY))
    assert not leaks(_Careful("order1", CANARY))
    assert leaks(_Careful(CANARY, ""))
    assert repr(_Careful("order1", CANARY)) == "_Careful(order_no='order1')"
    assert leaks(KycourierError(CANARY))


def test_environment_of_a_cli_context_is_not_shown():
    context = CliContext(
        environ={"AWS_SECRET_ACCESS_KEY": CANARY},
        folder=Path("/"),
        terminal=Terminal(StringIO(), StringIO()),
        clock=FakeClock(),
    )
    assert not leaks(context)
