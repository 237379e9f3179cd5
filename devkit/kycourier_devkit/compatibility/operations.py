"""Finds what a new OpenAPI or AsyncAPI description breaks of an old one."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from kycourier_devkit.compatibility.schemas import (
    Direction,
    Document,
    JsonObject,
    Schema,
    find_breaks,
)

_METHODS = ("get", "put", "post", "delete", "patch")
_NOTHING: JsonObject = {}


class _Operation(Struct, frozen=True):
    """One method of one path, with references replaced."""

    document: Document
    parameters: Mapping[str, JsonObject]
    body: JsonObject
    responses: Mapping[str, JsonObject]


def find_api_breaks(old: Document, new: Document) -> Iterator[str]:
    """Yields what an OpenAPI description breaks."""
    for path, before in old.content["paths"].items():
        after = new.content["paths"].get(path, _NOTHING)
        for method in filter(before.__contains__, _METHODS):
            call = f"{method.upper()} {path}"
            if method not in after:
                yield f"{call}: is gone"
                continue
            one, other = _read(old, before, method), _read(new, after, method)
            for found in (_call_breaks(one, other), _response_breaks(one, other)):
                yield from (f"{call} {text}" for text in found)


def find_message_breaks(old: Document, new: Document) -> Iterator[str]:
    """Yields what an AsyncAPI description breaks."""
    produced = {
        message["$ref"].rpartition("/")[2]
        for operation in old.content["operations"].values()
        if operation["action"] == "send"
        for message in operation["messages"]
    }
    for name, message in old.content["components"]["messages"].items():
        other = new.content["components"]["messages"].get(name)
        if other is None:
            yield f"{name}: is gone"
            continue
        direction = Direction.PRODUCED if name in produced else Direction.ACCEPTED
        before = Schema(message["payload"]["schema"], old)
        after = Schema(other["payload"]["schema"], new)
        yield from (f"{name} {text}" for text in find_breaks(before, after, direction))


def _read(document: Document, path: JsonObject, method: str) -> _Operation:
    operation = path[method]
    given = [*path.get("parameters", ()), *operation.get("parameters", ())]
    parameters = [_resolve(document, each) for each in given]
    return _Operation(
        document,
        {f"{each['in']} {each['name']}": each for each in parameters},
        _resolve(document, operation.get("requestBody", _NOTHING)),
        {
            status: _resolve(document, response)
            for status, response in operation.get("responses", _NOTHING).items()
        },
    )


def _resolve(document: Document, value: JsonObject) -> JsonObject:
    while "$ref" in value:
        value = document.resolve(value["$ref"]).value
    return value


def _call_breaks(old: _Operation, new: _Operation) -> Iterator[str]:
    for name, parameter in new.parameters.items():
        before = old.parameters.get(name, _NOTHING)
        if parameter.get("required") and not before.get("required"):
            yield f"{name}: is now required"
    for name, parameter in old.parameters.items():
        if name not in new.parameters:
            yield f"{name}: is gone"
            continue
        one = Schema(parameter.get("schema", _NOTHING), old.document)
        other = Schema(new.parameters[name].get("schema", _NOTHING), new.document)
        found = find_breaks(one, other, Direction.ACCEPTED)
        yield from (f"{name}{text}" for text in found)
    if new.body.get("required") and not old.body.get("required"):
        yield "body: is now required"
    pair = (old.document, old.body), (new.document, new.body)
    yield from (f"body {text}" for text in _content(*pair, Direction.ACCEPTED))


def _response_breaks(old: _Operation, new: _Operation) -> Iterator[str]:
    for status, before in old.responses.items():
        after = new.responses.get(status)
        if after is None:
            yield f"{status}: is gone"
            continue
        headers = before.get("headers", _NOTHING), after.get("headers", _NOTHING)
        for name in sorted(headers[0].keys() - headers[1].keys()):
            yield f"{status} {name}: is gone"
        pair = (old.document, before), (new.document, after)
        yield from (f"{status} {text}" for text in _content(*pair, Direction.PRODUCED))


def _content(
    old: tuple[Document, JsonObject],
    new: tuple[Document, JsonObject],
    direction: Direction,
) -> Iterator[str]:
    """Yields what is broken in the bodies of one request or response."""
    for media_type, before in old[1].get("content", _NOTHING).items():
        after = new[1].get("content", _NOTHING).get(media_type)
        if after is None:
            yield f"{media_type}: is gone"
            continue
        one = Schema(before.get("schema", _NOTHING), old[0])
        other = Schema(after.get("schema", _NOTHING), new[0])
        yield from find_breaks(one, other, direction)
