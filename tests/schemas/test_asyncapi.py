"""The published AsyncAPI description is complete and matches the code."""

import copy

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from kycourier import __version__
from kycourier.core.documents.registry import documents
from kycourier.core.events.cloudevents import event_type
from kycourier.core.orders.order_request import parse_order_request
from kycourier.core.orders.record import OrderState
from support.openapi_check import load_schema, walk_objects
from support.rigs.in_memory import APP

API = load_schema("asyncapi.json")
EVENT = load_schema("event.schema.json")
MESSAGES = API["components"]["messages"]
EVENTS = {
    f"{document}_{state.value}": event_type(document, state)
    for document in documents()
    for state in OrderState
    if state.is_final
}


def validator(schema):
    """Return a validator for a schema that refers to event.schema.json."""
    resource = Resource.from_contents(EVENT)
    registry = Registry().with_resource("./event.schema.json", resource)
    return Draft202012Validator(
        schema, registry=registry, format_checker=FormatChecker()
    )


def test_description_is_asyncapi_3_of_the_package_version():
    assert API["asyncapi"] == "3.0.0"
    assert API["info"]["version"] == __version__


def test_every_reference_resolves():
    references = [member["$ref"] for member in walk_objects(API) if "$ref" in member]
    for reference in references:
        file, _, pointer = reference.partition("#")
        found = EVENT if file == "./event.schema.json" else API
        assert file in {"", "./event.schema.json"}
        for step in filter(None, pointer.split("/")):
            found = found[step]
    assert len(references) > 10


def test_each_end_of_each_document_has_a_message():
    assert set(MESSAGES) == {*EVENTS, "webhook", "order"}
    assert set(API["channels"]["events"]["messages"]) == set(EVENTS)
    types = [MESSAGES[each]["name"] for each in EVENTS]
    assert types == EVENT["properties"]["type"]["enum"]
    assert types == list(EVENTS.values())


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_valid(name):
    schema = MESSAGES[name]["payload"]["schema"]
    assert MESSAGES[name]["examples"]
    for example in MESSAGES[name]["examples"]:
        validator(schema).validate(example["payload"])


@pytest.mark.parametrize("name", EVENTS)
def test_event_message_accepts_only_its_type(name):
    schema = MESSAGES[name]["payload"]["schema"]
    for other in set(EVENTS) - {name}:
        event = copy.deepcopy(MESSAGES[other]["examples"][0]["payload"])
        assert not validator(schema).is_valid(event)


def test_every_incoming_example_is_parsed_and_null_members_are_absent():
    for example in MESSAGES["order"]["examples"]:
        message = {"app_id": None, "document": None} | example["payload"]
        validator(MESSAGES["order"]["payload"]["schema"]).validate(message)
        request = parse_order_request(message, app_id=APP)
        assert request.order.order_no == message["order_no"]


@pytest.mark.parametrize(
    "message",
    [{}, {"order_no": "a-b"}, {"order_no": "a", "document": "passport"}],
)
def test_rejected_message_is_invalid(message):
    assert not validator(MESSAGES["order"]["payload"]["schema"]).is_valid(message)
