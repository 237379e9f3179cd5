"""The published description of events and messages: whole, in step with the code."""

import copy

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from kycourier import __version__
from kycourier.core.message import parse_order
from kycourier.core.order_record import State
from openapi_check import load_schema, walk
from worlds import APP

API = load_schema("asyncapi.json")
EVENT = load_schema("event.schema.json")
MESSAGES = API["components"]["messages"]
ENDS = [state.value for state in State if state.is_final]


def validator(schema):
    """Make a validator for a schema that refers to the event's file beside it."""
    resource = Resource.from_contents(EVENT)
    registry = Registry().with_resource("./event.schema.json", resource)
    return Draft202012Validator(
        schema, registry=registry, format_checker=FormatChecker()
    )


def test_it_is_asyncapi_3_of_the_packages_version():
    assert API["asyncapi"] == "3.0.0"
    assert API["info"]["version"] == __version__


def test_every_reference_leads_somewhere():
    references = [member["$ref"] for member in walk(API) if "$ref" in member]
    for reference in references:
        file, _, way = reference.partition("#")
        found = EVENT if file == "./event.schema.json" else API
        assert file in {"", "./event.schema.json"}
        for step in filter(None, way.split("/")):
            found = found[step]
    assert len(references) > 10


def test_there_is_one_message_for_each_end_of_an_order():
    assert set(MESSAGES) == {*ENDS, "order"}
    assert set(API["channels"]["events"]["messages"]) == set(ENDS)
    types = {MESSAGES[end]["name"] for end in ENDS}
    assert types == set(EVENT["properties"]["type"]["enum"])
    assert types == {f"kycourier.ocr.{end}.v1" for end in ENDS}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_one(name):
    schema = MESSAGES[name]["payload"]["schema"]
    assert MESSAGES[name]["examples"]
    for example in MESSAGES[name]["examples"]:
        validator(schema).validate(example["payload"])


@pytest.mark.parametrize("end", ENDS)
def test_an_events_message_is_of_its_type_alone(end):
    schema = MESSAGES[end]["payload"]["schema"]
    for other in set(ENDS) - {end}:
        event = copy.deepcopy(MESSAGES[other]["examples"][0]["payload"])
        assert not validator(schema).is_valid(event)


def test_every_example_of_an_incoming_message_is_understood():
    for example in MESSAGES["order"]["examples"]:
        key, _ = parse_order(example["payload"], app_id=APP)
        assert key.order_no == example["payload"]["order_no"]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"order_no": "a-b"},
        {"order_no": 5},
        {"order_no": "a", "document": "passport"},
    ],
)
def test_a_message_that_is_refused_is_not_described(message):
    assert not validator(MESSAGES["order"]["payload"]["schema"]).is_valid(message)
