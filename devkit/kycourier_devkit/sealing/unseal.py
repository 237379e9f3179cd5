"""Opens what is sealed in events, orders or bare JWEs, with the private key."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pybase64
from joserfc.jwe import decrypt_compact
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Struct

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import DevkitError, UsageError

ALGORITHMS = ["ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM"]
_JWE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}")
_IDENTITY = ("app_id", "order_no", "document")
_KINDS: Any = (ECKey, OKPKey, RSAKey)

Key = ECKey | OKPKey | RSAKey


class SealedText(Struct, frozen=True):
    """A JWE, and the order that it was found with; None for a bare one."""

    jwe: str
    order: dict[str, object] | None


def unseal(
    context: CliContext, source: Path | None, key_file: Path, *, as_json: bool
) -> int:
    """Prints the clear values of every JWE in the input as JSON objects.

    Args:
        context: Where lines go.
        source: The input's file; standard input if it is None or `-`.
        key_file: The file of the private key.
        as_json: Print each object in one line, not indented.

    Returns:
        0 if all were opened, 1 if one was not or there was none.

    Raises:
        UsageError: a file cannot be read, or holds no key or nothing to open.
    """
    keys = read_keys(_read(key_file, "--key"), key_file)
    texts = _read(source, "FILE") if source else sys.stdin.read()
    found = list(find_sealed(texts))
    if not found:
        raise UsageError(
            "nothing sealed was found: give an event, an order's JSON or a JWE."
            " Without KYCOURIER_RECIPIENT_KEY, data.sealed is null"
        )
    indent = None if as_json else 2
    opened = [_print_opened(context, each, keys, indent=indent) for each in found]
    return 0 if all(opened) else 1


def _print_opened(
    context: CliContext, sealed: SealedText, keys: list[Key], *, indent: int | None
) -> bool:
    try:
        content = open_sealed(sealed, keys)
    except DevkitError as problem:
        context.terminal.problem(f"unseal: {problem}")
        return False
    for line in json.dumps(content, ensure_ascii=False, indent=indent).split("\n"):
        context.terminal.line("".join(map(_escape, line)))
    return True


def _escape(character: str) -> str:
    """Escapes what a terminal should not print, so that no value is changed."""
    return character if character.isprintable() else json.dumps(character)[1:-1]


def find_sealed(text: str) -> Iterator[SealedText]:
    """Yields what is sealed in a JWE, a JSON text, or lines of either."""
    text = text.removeprefix("\ufeff").strip()
    whole = _parse_json(text)
    if whole is not None:
        yield from _find_in(whole)
        return
    for line in filter(None, map(str.strip, text.splitlines())):
        if _JWE.fullmatch(line):
            yield SealedText(line, None)
            continue
        value = _parse_json(line)
        if value is None:
            raise UsageError("a line of the input is neither JSON nor a JWE")
        yield from _find_in(value)


def _parse_json(text: str | bytes) -> object:
    """Parses JSON; returns None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _find_in(value: object) -> Iterator[SealedText]:
    """Yields what is sealed in a JSON value of any depth, in its order."""
    rest: list[tuple[object, dict[str, object] | None]] = [(value, None)]
    while rest:
        value, order = rest.pop()
        inner: list[object] = value if isinstance(value, list) else []
        if isinstance(value, dict):
            order = value if value.keys() >= {"app_id", "order_no"} else order
            inner = list(value.values())
            if isinstance(sealed := value.get("sealed"), str):
                yield SealedText(sealed, order)
        rest += [(each, order) for each in reversed(inner)]


def open_sealed(sealed: SealedText, keys: list[Key]) -> dict[str, object]:
    """Opens one JWE.

    Raises:
        DevkitError: no key opens it, or it is of another order than it was found with.
    """
    for key in keys:
        plaintext = None
        with suppress(Exception):  # of a wrong key, the library raises anything
            plaintext = decrypt_compact(
                sealed.jwe, key, algorithms=ALGORITHMS
            ).plaintext
        if plaintext is not None:
            return _check_order(_parse_json(plaintext), sealed.order)
    kids = ", ".join(key.kid or key.thumbprint() for key in keys)
    raise DevkitError(
        f"the JWE is for key {_kid_of(sealed.jwe)} and does not open with {kids}"
    )


def _check_order(content: object, order: dict[str, object] | None) -> dict[str, object]:
    """Returns the content if it is of the order that it was found with."""
    if not isinstance(content, dict) or not content.keys() >= set(_IDENTITY):
        raise DevkitError("the sealed content is none of kycourier")
    order = order or content
    if any(order.get(name, content[name]) != content[name] for name in _IDENTITY):
        raise DevkitError("the sealed content is of another order than its event")
    return content


def _kid_of(jwe: str) -> str:
    head = jwe.partition(".")[0]
    members = None
    with suppress(ValueError):
        members = _parse_json(pybase64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if not isinstance(members, dict):
        return "(unreadable)"
    return str(members.get("kid", "(none named)"))


def read_keys(text: str, path: Path) -> list[Key]:
    """Reads the private keys of a JWK, a JWK Set or a PEM. Raises UsageError."""
    keys = [key for key in _parse_keys(text.strip()) if key.is_private]
    if not keys:
        raise UsageError(f"--key {path}: is no private JWK, JWK Set or PEM")
    return keys


def _parse_keys(text: str) -> Iterator[Key]:
    """Yields the keys that can be read: of a set, all of a kind that is served."""
    given: object = [text]
    if not text.startswith("-----BEGIN"):
        members = _parse_json(text)
        given = members.get("keys", [members]) if isinstance(members, dict) else []
    for each in given if isinstance(given, list) else []:
        for kind in _KINDS:
            with suppress(Exception):  # of a key of another kind
                yield kind.import_key(each)
                break


def _read(path: Path, name: str) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no UTF-8"
    raise UsageError(f"{name}: {path} cannot be read: {reason}")
