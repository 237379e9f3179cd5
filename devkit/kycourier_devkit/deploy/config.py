"""The shape of tencent.yml; an unknown or doubled key is an error."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from kycourier_devkit.errors import UsageProblem

Cap = Literal[10, 20, 50, 100, 200]
_MOST_BYTES = 64 * 1024
_IDENTIFIER = "[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]"


def _text(pattern: str, most: int = 128) -> Meta:
    return Meta(pattern=f"^{pattern}$", max_length=most)


_Id = Annotated[str, _text("[A-Za-z0-9][A-Za-z0-9-]*")]
_Role = Annotated[str, _text("[A-Za-z0-9_.-]+")]
_Bucket = Annotated[str, _text("[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9]{5,}", 60)]
_Memory = Annotated[int, Meta(ge=128, le=3072, multiple_of=128)]
_Seconds = Annotated[int, Meta(ge=1, le=900)]


class Vpc(Struct, frozen=True, forbid_unknown_fields=True):
    """The private network that the state lies in."""

    id: Annotated[str, _text("vpc-[a-z0-9]+")]
    subnet: Annotated[str, _text("subnet-[a-z0-9]+")]


class Logs(Struct, frozen=True, forbid_unknown_fields=True):
    """A topic of CLS of one's own, for the functions' log lines."""

    logset: _Id
    topic: _Id


class Queue(Struct, frozen=True, forbid_unknown_fields=True):
    """The CKafka topic whose messages name orders; `batch` of them a call at most."""

    instance: Annotated[str, _text("ckafka-[a-z0-9]+")]
    topic: Annotated[str, _text("[A-Za-z0-9._-]+")]
    batch: Annotated[int, Meta(ge=1, le=100)] = 10


class Tuning(Struct, frozen=True, forbid_unknown_fields=True):
    """What differs from a function's usual size; `concurrency` is how many at most."""

    memory: _Memory | None = None
    timeout: _Seconds | None = None
    role: _Role | None = None
    concurrency: Annotated[int, Meta(ge=1, le=500)] | None = None


class Tunings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of each function."""

    refresh_ticket: Tuning = Tuning()
    collect_results: Tuning = Tuning()
    sweep_orders: Tuning = Tuning()
    orders_api: Tuning = Tuning()


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment. What is None here is left as it is found.

    `packages` is the bucket for zips that are too large for a request.
    """

    region: Annotated[str, _text("[a-z]{2}-[a-z]+(-[a-z0-9]+)?", 30)]
    name: Annotated[str, _text(_IDENTIFIER, 40)]
    role: _Role
    settings: dict[str, Any]
    namespace: Annotated[str, _text("[A-Za-z0-9_-]+", 30)] = "default"
    packages: _Bucket | None = None
    vpc: Vpc | None = None
    logs: Logs | None = None
    queue: Queue | None = None
    api: Literal["url", "none"] = "url"
    upstream_cap: Cap = 20
    functions: Tunings = Tunings()


def read_config(path: Path) -> Config:
    """Read tencent.yml. Raises UsageProblem with the key's name, never its value."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    else:
        if len(content) <= _MOST_BYTES:
            return _parse(content, path.name)
        reason = "is too large"
    raise UsageProblem(f"{path.name} {reason}")


def _parse(content: bytes, name: str) -> Config:
    try:
        said = yaml.load(content.decode(), Loader=_StrictLoader)  # noqa: S506 - a safe one
        return msgspec.convert(said, Config)
    except yaml.YAMLError as error:
        reason = _locate(error)
    except msgspec.ValidationError as error:
        reason = _plain(str(error))
    except (UnicodeDecodeError, RecursionError, ValueError):
        reason = "is no YAML"
    raise UsageProblem(f"{name}: {reason}")


def _locate(error: yaml.YAMLError) -> str:
    """Say where the YAML is wrong, without the line itself: it may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    what = str(error) if isinstance(error, _Doubled) else "is no YAML"
    return f"{what}, line {mark.line + 1}" if mark else what


def _plain(said: str) -> str:
    """Say msgspec's sentence with the key first: `functions.sweep_orders.memory: …`."""
    what, _, where = said.partition(" - at `$")
    key = where.rstrip("`").lstrip(".").replace("[...]", "")
    what = what.replace("`", "'")
    if what.startswith("Invalid enum value"):  # which it goes on to repeat
        what = "is none of the values that it may have"
    unknown = re.search("unknown field '(.*)'", what)
    if unknown:
        key, what = f"{key}.{unknown[1]}".lstrip("."), "there is no such key"
    missing = re.search("missing required field '(.*)'", what)
    if missing:
        key, what = f"{key}.{missing[1]}".lstrip("."), "is missing"
    return f"{key}: {what}" if key else what


class _Doubled(yaml.MarkedYAMLError):
    """A key that stands twice: YAML's own readers keep the last one silently."""

    def __str__(self) -> str:
        return "a key stands twice, or is no plain word"


class _StrictLoader(yaml.SafeLoader):
    """Plain values alone; every key once."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's
    ) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise _Doubled(problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
