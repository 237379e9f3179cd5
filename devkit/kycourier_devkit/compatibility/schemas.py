"""Finds what a new JSON Schema breaks for those who rely on an old one.

What the service accepts may grow and not shrink; what it produces may gain members and
lose none. Values that the service may add to what it produces (a word, an alternative)
break nobody: docs/reference/compatibility.md tells readers to expect them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from msgspec import Struct

JsonObject = Mapping[str, Any]
_TYPES = frozenset(
    {"null", "boolean", "integer", "number", "string", "array", "object"}
)
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_EXACT = ("pattern", "format", "uniqueItems", "contentEncoding")
_ALTERNATIVES = ("oneOf", "anyOf")
_CLOSING = ("additionalProperties", "unevaluatedProperties")


class Direction(Enum):
    """Who sends what the schema describes."""

    ACCEPTED = auto()
    PRODUCED = auto()


class Document(Struct, frozen=True):
    """A JSON document, and the others that it refers to, by file name."""

    content: JsonObject
    files: Mapping[str, JsonObject]

    def resolve(self, reference: str) -> "Schema":
        """Returns the schema that a `$ref` names."""
        file, _, pointer = reference.partition("#")
        name = file.removeprefix("./")
        document = Document(self.files.get(name, {}), self.files) if name else self
        found: Any = document.content
        for step in filter(None, pointer.split("/")):
            member = step.replace("~1", "/").replace("~0", "~")
            found = found.get(member, {}) if name else found[member]
        return Schema(found, document)


class Schema(Struct, frozen=True):
    """A schema within its document."""

    value: Any
    document: Document

    def below(self, value: object) -> "Schema":
        """Returns a schema that is written inside this one."""
        return Schema(value, self.document)

    def parts(self) -> Iterator["Schema"]:
        """Yields what must all hold: the schema, what it refers to, its `allOf`."""
        value = self.value if isinstance(self.value, Mapping) else {}
        yield self.below(value if self.value is not False else {"enum": []})
        if "$ref" in value:
            yield from self.document.resolve(value["$ref"]).parts()
        for each in value.get("allOf", ()):
            yield from self.below(each).parts()


class _Flat:
    """All keywords of a schema's parts."""

    def __init__(self, schema: Schema) -> None:
        parts = list(schema.parts())
        self.is_closed = any(
            part.value.get(word) is False for part in parts for word in _CLOSING
        )
        self.required = {
            name for part in parts for name in part.value.get("required", ())
        }
        self.members: dict[str, list[Schema]] = {}
        for part in parts:
            for name, value in part.value.get("properties", {}).items():
                self.members.setdefault(name, []).append(part.below(value))
        self.items = [
            part.below(part.value["items"]) for part in parts if "items" in part.value
        ]
        self.alternatives = [
            [part.below(each) for each in part.value[word]]
            for part in parts
            for word in _ALTERNATIVES
            if word in part.value
        ]
        self.types = _types(parts)
        self.values = _values(parts)
        self._parts = parts

    def bounds(self, word: str, choose: Callable[[Sequence[float]], float]) -> Any:  # noqa: ANN401 - a number or None
        """Returns the strictest of a keyword's values, None if it has none."""
        found = [part.value[word] for part in self._parts if word in part.value]
        return choose(found) if found else None

    def exact(self, word: str) -> list[str]:
        """Returns a keyword's values, each of which must hold."""
        return sorted({repr(p.value[word]) for p in self._parts if word in p.value})


def find_breaks(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """Returns what `new` breaks, each as a path and a reason; empty for nothing."""
    return list(_Comparison(direction).compare(old, new, ""))


class _Comparison:
    def __init__(self, direction: Direction) -> None:
        self._accepts = direction is Direction.ACCEPTED
        self._seen: dict[tuple[int, int], object] = {}  # keeps what the ids name

    def compare(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        pair = id(old.value), id(new.value)
        if pair in self._seen:
            return
        self._seen[pair] = old.value, new.value
        before, after = _Flat(old), _Flat(new)
        yield from self._compare_values(before, after, path)
        yield from self._compare_limits(before, after, path)
        yield from self._compare_members(before, after, path)
        for one, other in zip(before.items, after.items, strict=False):
            yield from self.compare(one, other, f"{path}[]")
        yield from self._compare_alternatives(before, after, path)

    def _compare_values(self, old: _Flat, new: _Flat, path: str) -> Iterator[str]:
        lost, gained = old.types - new.types, new.types - old.types
        for name in sorted(lost if self._accepts else gained):
            yield f"{path}: {'no longer' if self._accepts else 'may now be'} {name}"
        if old.values is not None and new.values is not None:
            for value in sorted(old.values - new.values):
                yield f"{path}: {value} is gone"
        elif self._accepts and new.values is not None:
            yield f"{path}: only some values are left"
        elif not self._accepts and old.values is not None:
            yield f"{path}: may now be any value"

    def _compare_limits(self, old: _Flat, new: _Flat, path: str) -> Iterator[str]:
        for words, choose in ((_UPPER, min), (_LOWER, max)):
            for word in words:
                one, other = old.bounds(word, choose), new.bounds(word, choose)
                tight, loose = (other, one) if self._accepts else (one, other)
                if tight is not None and (
                    loose is None or choose([tight, loose]) != loose
                ):
                    yield f"{path}: {word} was {one}, is {other}"
        for word in _EXACT:
            one, other = set(old.exact(word)), set(new.exact(word))
            if other - one if self._accepts else one - other:
                yield f"{path}: {word} has changed"

    def _compare_members(self, old: _Flat, new: _Flat, path: str) -> Iterator[str]:
        for name, schemas in old.members.items():
            member = f"{path}.{name}"
            if name not in new.members:
                yield f"{member}: is gone"
                continue
            yield from self.compare(
                _all_of(schemas), _all_of(new.members[name]), member
            )
        added, dropped = new.required - old.required, old.required - new.required
        for name in sorted(added if self._accepts else dropped):
            word = "is now required" if self._accepts else "is no longer always there"
            yield f"{path}.{name}: {word}"
        if self._accepts and new.is_closed and not old.is_closed:
            yield f"{path}: unknown members are no longer accepted"

    def _compare_alternatives(self, old: _Flat, new: _Flat, path: str) -> Iterator[str]:
        if self._accepts and len(new.alternatives) > len(old.alternatives):
            yield f"{path}: must now be one of some alternatives"
        for before, after in zip(old.alternatives, new.alternatives, strict=False):
            for index, one in enumerate(before):
                found = [self._breaks_of(one, other, path) for other in after]
                best = min(found, key=len, default=[f"{path}: is gone"])
                yield from (f"{path}|{index}{text[len(path) :]}" for text in best)

    def _breaks_of(self, old: Schema, new: Schema, path: str) -> list[str]:
        """Compares one pair of alternatives without what was seen in another pair."""
        seen = self._seen
        self._seen = dict(seen)
        try:
            return list(self.compare(old, new, path))
        finally:
            self._seen = seen


def _all_of(schemas: Sequence[Schema]) -> Schema:
    """Returns the one schema, or one that requires all; they share a document."""
    if len(schemas) == 1:
        return schemas[0]
    return schemas[0].below({"allOf": [schema.value for schema in schemas]})


def _types(parts: Sequence[Schema]) -> frozenset[str]:
    found = _TYPES
    for part in parts:
        given = part.value.get("type")
        if given is not None:
            names = {given} if isinstance(given, str) else set(given)
            found &= names | ({"integer"} if "number" in names else set())
    return found


def _values(parts: Sequence[Schema]) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    for part in parts:
        given = part.value.get("enum")
        given = [part.value["const"]] if "const" in part.value else given
        if given is not None:
            values = frozenset(map(repr, given))
            found = values if found is None else found & values
    return found
