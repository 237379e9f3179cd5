"""Checks API responses against the published OpenAPI description."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_HERE = "urn:openapi"


def load_schema(name: str) -> dict[str, object]:
    """Read one of the published schemas."""
    text = files("kycourier").joinpath("schemas", name).read_text("utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def walk_objects(value: object) -> Iterator[dict[str, object]]:
    """Yield every object inside a JSON value, outer ones first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from walk_objects(child)


@cache
def _description() -> dict[str, object]:
    return load_schema("openapi.json")


@cache
def _registry() -> Registry:
    resource = Resource.from_contents(_description(), default_specification=DRAFT202012)
    return Registry().with_resource(_HERE, resource)


def make_validator(schema: Mapping[str, object]) -> Draft202012Validator:
    """Return a validator for a schema of the description."""
    return Draft202012Validator(
        json.loads(json.dumps(schema).replace('"#/', f'"{_HERE}#/')),
        registry=_registry(),
        format_checker=FormatChecker(),
    )


def check_response(
    method: str, path: str, response: Mapping[str, object]
) -> Mapping[str, object] | None:
    """Check a response's status, headers and body; HEAD is GET without the body.

    Every part must be described, and every required part must be present.

    Args:
        path: the requested path from `/v1` on.

    Returns:
        The parsed body, None without a body.
    """
    assert set(response) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert response["isBase64Encoded"] is False
    described = _find_response(
        "GET" if method == "HEAD" else method, path, response["statusCode"]
    )
    headers, body = dict(response["headers"]), response["body"]
    media_type = headers.pop("Content-Type", None)
    _check_headers(described.get("headers", {}), headers)
    content = described.get("content")
    if content is None or method == "HEAD":
        assert body == ""
        assert (media_type is None) == (content is None)
        return None
    members = json.loads(body)
    make_validator(content[media_type]["schema"]).validate(members)
    if media_type == "application/problem+json":
        assert members["status"] == response["statusCode"]
        assert members["type"].endswith(f":{members['code']}")
    return members


def _check_headers(
    described: Mapping[str, Mapping[str, object]], headers: Mapping[str, str]
) -> None:
    known = {name: _resolve(header) for name, header in described.items()}
    assert set(headers) <= set(known), "a header that is not described"
    for name, header in known.items():
        if name in headers:
            make_validator(header["schema"]).validate(headers[name])
        else:
            assert not header["required"], name


def _find_response(method: str, path: str, status: object) -> Mapping[str, object]:
    """Return the description of a response, also for unknown paths and methods."""
    paths, shared = _description()["paths"], _description()["components"]["responses"]
    found = [paths[template] for template in paths if _fits(path, template)]
    before = {
        "400": shared["BadRequest"],
        "401": shared["Denied"],
        "413": shared["BodyTooLarge"],
        "414": shared["UrlTooLong"],
        "431": shared["HeadersTooLarge"],
        "500": shared["Failed"],
        "503": shared["Unavailable"],
    }
    if not found:
        responses = before | {"404": shared["UnknownPath"]}
    elif method.lower() not in found[0]:
        responses = before | {"405": shared["MethodNotAllowed"]}
    else:
        responses = found[0][method.lower()]["responses"]
    assert str(status) in responses, "a status that is not described"
    return _resolve(responses[str(status)])


def _fits(path: str, template: str) -> bool:
    parts, named = path.split("/"), template.split("/")
    return len(parts) == len(named) and all(
        part == name or (part and name.startswith("{"))
        for part, name in zip(parts, named, strict=True)
    )


def _resolve(value: Mapping[str, object]) -> Mapping[str, object]:
    while "$ref" in value:
        found: object = _description()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value
