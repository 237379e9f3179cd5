"""The structure of tencent.yml and the values that its keys allow."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

UpstreamCap = Literal[10, 20, 50, 100, 200]
_IDENTIFIER = "[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]"


def _text(pattern: str, max_length: int = 128) -> Meta:
    return Meta(pattern=f"^{pattern}$", max_length=max_length)


_Id = Annotated[str, _text("[A-Za-z0-9][A-Za-z0-9-]*")]
_Role = Annotated[str, _text("[A-Za-z0-9_.-]+")]
_Bucket = Annotated[str, _text("[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9]{5,}", 60)]
_Memory = Annotated[int, Meta(ge=128, le=3072, multiple_of=128)]
_Seconds = Annotated[int, Meta(ge=1, le=900)]


class Vpc(Struct, frozen=True, forbid_unknown_fields=True):
    """The private network of the Redis that keeps the state."""

    id: Annotated[str, _text("vpc-[a-z0-9]+")]
    subnet: Annotated[str, _text("subnet-[a-z0-9]+")]


class Logs(Struct, frozen=True, forbid_unknown_fields=True):
    """The CLS topic for the functions' log lines."""

    logset: _Id
    topic: _Id


class Queue(Struct, frozen=True, forbid_unknown_fields=True):
    """The CKafka topic of orders; one invocation gets up to `batch` messages."""

    instance: Annotated[str, _text("ckafka-[a-z0-9]+")]
    topic: Annotated[str, _text("[A-Za-z0-9._-]+")]
    batch: Annotated[int, Meta(ge=1, le=100)] = 10


class FunctionOverrides(Struct, frozen=True, forbid_unknown_fields=True):
    """Values that replace a function's defaults."""

    memory: _Memory | None = None
    timeout: _Seconds | None = None
    role: _Role | None = None
    concurrency: Annotated[int, Meta(ge=1, le=500)] | None = None


class Functions(Struct, frozen=True, forbid_unknown_fields=True):
    """The overrides of each function."""

    refresh_ticket: FunctionOverrides = FunctionOverrides()
    collect_results: FunctionOverrides = FunctionOverrides()
    sweep_orders: FunctionOverrides = FunctionOverrides()
    orders_api: FunctionOverrides = FunctionOverrides()


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment. Where a value is None, the cloud's value is left as it is.

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
    upstream_cap: UpstreamCap = 20
    functions: Functions = Functions()
