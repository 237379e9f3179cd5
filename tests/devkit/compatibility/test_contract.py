"""A change that breaks what others rely on is found; an addition is not."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from kycourier_devkit.compatibility.__main__ import main, read_released
from kycourier_devkit.compatibility.contract import (
    Contract,
    allows_breaks,
    find_contract_breaks,
    read_current,
)
from kycourier_devkit.compatibility.schemas import (
    Direction,
    Document,
    Schema,
    find_breaks,
)

ORDER = "openapi.json/paths/~v1~orders~{order_no}"
BODY = f"{ORDER}/put/requestBody/content/application~json/schema"
SHOWN = "openapi.json/components/schemas/Order"
EVENT = "event.schema.json"
DROP = object()


def changed(change):
    """Copy the current contract with members set or dropped, by their paths."""
    current = read_current()
    found = {
        **json.loads(json.dumps(current.descriptions)),
        "settings": copy.deepcopy(dict(current.settings)),
    }
    for path, value in change.items():
        target = found
        *parents, last = [step.replace("~", "/") for step in path.split("/")]
        for step in parents:
            target = target[int(step) if isinstance(target, list) else step]
            while "$ref" in target:
                name = target["$ref"].rpartition("/")[2]
                pool = found["openapi.json"]["components"]
                target = pool[
                    "requestBodies"
                    if name in pool.get("requestBodies", {})
                    else "schemas"
                ][name]
        if value is DROP:
            target.pop(int(last) if isinstance(target, list) else last)
        elif isinstance(target, list):
            target.append(value)
        else:
            target[last] = value
    settings = found.pop("settings")
    return Contract(current.version, found, settings)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({f"{ORDER}/put": DROP}, "PUT /v1/orders/{order_no}"),
        ({f"{ORDER}/get/responses/404": DROP}, "GET /v1/orders/{order_no} 404"),
        ({f"{SHOWN}/properties/attempts": DROP}, ".attempts"),
        ({f"{SHOWN}/properties/attempts/type": ["integer", "null"]}, ".attempts"),
        ({f"{SHOWN}/required/0": DROP}, ".app_id"),
        ({f"{SHOWN}/properties/state/enum/0": DROP}, ".state"),
        ({"openapi.json/components/schemas/OrderNo/pattern": "^[0-9]+$"}, "order_no"),
        ({f"{EVENT}/$defs/Card/properties/length": DROP}, "card.length"),
        ({f"{EVENT}/$defs/BankCardData": {"type": "object"}}, ".data"),
        ({"asyncapi.json/components/messages/order": DROP}, "order"),
        ({"settings/KYCOURIER_QUEUE": DROP}, "KYCOURIER_QUEUE"),
        ({"settings/KYCOURIER_EVENTS/values": "`sqs://name`"}, "eventbridge://bus"),
        ({"settings/KYCOURIER_ORDER_TTL_SECONDS/default": None}, "172800"),
        ({EVENT: DROP}, EVENT),
    ],
)
def test_removal_and_narrowing_are_found(change, place):
    breaks = find_contract_breaks(read_current(), changed(change))

    assert any(place in each for each in breaks), breaks


@pytest.mark.parametrize(
    "change",
    [
        {f"{ORDER}/delete": {"responses": {}}},
        {f"{SHOWN}/properties/hue": {"type": "string"}, f"{SHOWN}/required/-": "hue"},
        {f"{SHOWN}/properties/state/enum/-": "erased"},
        {f"{ORDER}/get/responses/410": {"description": "Gone."}},
        {"settings/KYCOURIER_HUE": {"values": "`red`", "default": "red"}},
        {"settings/KYCOURIER_APP_ID/default": "A1"},
        {"further.schema.json": {"type": "object"}},
    ],
)
def test_addition_breaks_nothing(change):
    assert find_contract_breaks(read_current(), changed(change)) == []


def test_contract_keeps_what_the_last_release_promised(capsys):
    assert main([]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("0.1.0", "0.1.9", False),
        ("0.1.0", "0.2.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
    ],
)
def test_version_step_that_may_break(old, new, allowed):
    contract = read_released()
    before, after = replace(contract, version=old), replace(contract, version=new)

    assert allows_breaks(before, after) is allowed


VALUES = [None, True, 0, 1, 2, 3, 1.5, "", "a", "abc"]
SCALARS = st.sampled_from(VALUES)
KINDS = st.sampled_from(["null", "boolean", "integer", "number", "string", "object"])
LEAF_WORDS = {
    "type": st.lists(KINDS, min_size=1, max_size=3, unique=True),
    "enum": st.lists(SCALARS, min_size=1, unique_by=repr),
    "minimum": st.integers(0, 3),
    "maximum": st.integers(0, 3),
    "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
}
NAMES = st.lists(st.sampled_from("ab"), unique=True)
LEAVES = st.fixed_dictionaries({}, optional=LEAF_WORDS)
OBJECTS = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.fixed_dictionaries({"a": LEAVES, "b": LEAVES}),
        "additionalProperties": st.booleans(),
        "required": NAMES,
    }
)


@st.composite
def changes(draw):
    """Draw a schema, and the same one with at most one keyword set or dropped."""
    one = draw(OBJECTS)
    other = copy.deepcopy(one)
    leaf = other["properties"][draw(st.sampled_from("ab"))]
    words = [*LEAF_WORDS, *["required", "additionalProperties"] * 3]
    word = draw(st.sampled_from(words))
    target = leaf if word in LEAF_WORDS else other
    if word == "additionalProperties":
        target[word] = draw(st.booleans())
    elif draw(st.booleans()):
        target[word] = draw(LEAF_WORDS.get(word, NAMES))
    else:
        target.pop(word, None)
    wrap = draw(st.sampled_from([None, "allOf", "anyOf"]))
    return [{wrap: [each]} if wrap else each for each in (one, other)], one, other


def instances(schema):
    """Yield objects whose members are all or mostly valid."""
    fitting = [
        [each for each in VALUES if Draft202012Validator(leaf).is_valid(each)]
        for leaf in schema["properties"].values()
    ]
    for a in [..., *fitting[0]]:
        for b in [..., *fitting[1]]:
            members = {"a": a, "b": b, "c": 1}
            yield {name: each for name, each in members.items() if each is not ...}
            del members["c"]
            yield {name: each for name, each in members.items() if each is not ...}


@pytest.mark.parametrize("direction", Direction)
@settings(max_examples=300)
@given(drawn=changes())
def test_what_breaks_nothing_accepts_or_promises_as_much_as_before(direction, drawn):
    pair, *plain = drawn
    one, other = (Schema(each, Document(each, {})) for each in pair)
    if find_breaks(one, other, direction):
        return
    is_input = direction is Direction.ACCEPTED
    narrow, wide = pair if is_input else reversed(pair)
    values = instances(plain[0] if is_input else plain[1])
    for value in filter(Draft202012Validator(narrow).is_valid, values):
        errors = Draft202012Validator(wide).iter_errors(value)
        # One more word or member in what is produced breaks nothing.
        tolerated = set() if is_input else {"enum", "additionalProperties", "anyOf"}
        assert {error.validator for error in errors} <= tolerated
