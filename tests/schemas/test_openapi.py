"""The published OpenAPI description is valid, complete and matches the code."""

import json

import pytest
from openapi_spec_validator import validate

from kycourier import __version__
from kycourier.core import request_signature
from kycourier.core.documents.registry import document_type, documents
from kycourier.core.orders.record import OrderState
from kycourier.core.tickets.pair import Freshness
from kycourier.triggers.http.order_list import PARAMETERS
from kycourier.triggers.http.problems import PROBLEMS
from support.openapi_check import load_schema, make_validator, walk_objects
from support.rigs.api_client import ApiClient
from support.rigs.in_memory import InMemoryApp

API = load_schema("openapi.json")
SCHEMAS = API["components"]["schemas"]
OPERATIONS = [
    (method, path, operation)
    for path, item in API["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
BODIES = [
    *(operation.get("requestBody", {}) for _, _, operation in OPERATIONS),
    *(
        response
        for _, _, operation in OPERATIONS
        for response in operation["responses"].values()
    ),
    *API["components"]["responses"].values(),
]


def values(enum):
    return [each.value for each in enum]


def test_description_is_valid_openapi_3_1_of_the_package_version():
    assert API["openapi"] == "3.1.0"
    validate(API)
    assert API["info"]["version"] == __version__


def test_schemas_are_shared_with_events():
    definitions = json.dumps(load_schema("event.schema.json")["$defs"])
    moved = json.loads(definitions.replace("#/$defs/", "#/components/schemas/"))
    for name in moved.keys() - {
        *("BankCardData", "IdCardData", "FaceData", "FaceRefusedData"),
        *("EndedData", "ParkedData", "Ids"),
    }:
        assert SCHEMAS[name] == moved[name], name


def test_enums_match_the_code():
    assert SCHEMAS["Problem"]["properties"]["code"]["enum"] == list(PROBLEMS)
    assert SCHEMAS["OrderState"]["enum"] == values(OrderState)
    assert SCHEMAS["Problem"]["properties"]["parameter"]["enum"] == list(PARAMETERS)
    assert SCHEMAS["Document"]["enum"] == list(documents())
    kinds = [kind for each in documents() for kind in document_type(each).photo_kinds]
    assert SCHEMAS["PhotoKind"]["enum"] == kinds
    assert SCHEMAS["Ticket"]["properties"]["state"]["enum"] == values(Freshness)
    scheme = API["components"]["securitySchemes"]["signature"]
    assert scheme["name"] == request_signature.HEADER


@pytest.mark.parametrize(("code", "problem"), PROBLEMS.items())
def test_every_problem_is_described(code, problem):
    status, title = problem
    responses = API["components"]["responses"].values()
    examples = [
        response["content"]["application/problem+json"]["example"]
        for response in responses
    ]
    of_status = [example for example in examples if example["status"] == status]
    assert of_status
    mine = [example for example in of_status if example["code"] == code]
    texts = [response["description"] for response in responses]
    assert mine or any(code in text for text in texts)
    assert all(example["title"] == title for example in mine)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_describes_its_errors_and_is_implemented(
    method, path, operation
):
    errors = {"400", "401", "413", "414", "431", "500", "503"}
    assert errors <= operation["responses"].keys()
    assert operation["operationId"]
    api = ApiClient(InMemoryApp())
    order = path.replace("{order_no}", "order1").replace("{kind}", "original")
    response = api.call(method.upper(), order)
    assert str(response.status) in operation["responses"]
    if response.status >= 400:
        assert response.code in {"unknown_order", "unknown_event", "unknown_photo"}


def test_every_response_has_security_headers():
    responses = list(API["components"]["responses"].values())
    for _, _, operation in OPERATIONS:
        responses += operation["responses"].values()
    required = {"Cache-Control", "X-Content-Type-Options"}
    for response in responses:
        assert "$ref" in response or required <= response["headers"].keys()


def test_every_object_is_closed():
    open_ones = [
        name
        for name, schema in SCHEMAS.items()
        if schema.get("type") == "object"
        and schema.get("additionalProperties") is not False
    ]
    results = [
        *("BankCardResult", "IdCardResult", "FaceResult", "FaceRefusedResult"),
        "EndedResult",
    ]
    assert open_ones == results
    closed = SCHEMAS["Result"]["oneOf"][1:]
    assert [each["allOf"][0]["$ref"].split("/")[-1] for each in closed] == results
    assert all(schema["unevaluatedProperties"] is False for schema in closed)


def test_every_example_is_valid():
    seen = 0
    for body in BODIES:
        for content in body.get("content", {}).values():
            examples = [each["value"] for each in content.get("examples", {}).values()]
            for example in [*examples, *filter(None, [content.get("example")])]:
                make_validator(content["schema"]).validate(example)
                seen += 1
    for member in walk_objects(API):
        if "schema" in member and "in" in member and "example" in member:
            make_validator(member["schema"]).validate(member["example"])
            seen += 1
    for schema in walk_objects(SCHEMAS):
        for example in schema.get("examples", ()):
            make_validator(schema).validate(example)
            seen += 1
    assert seen > 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "done"},
        {"result": {"document": "bank_card"}},
        {"due_at": "2021-06-21T17:40:06+08:00"},
        {"version": 0},
        {"more": 1},
        {"reason": "Not ready"},
        {"last_problem": {"cause": "timed_out"}},
        {"last_problem": "timed_out"},
    ],
)
def test_malformed_order_is_invalid(wrong):
    content = API["paths"]["/v1/orders/{order_no}"]["get"]["responses"]["200"]
    example = content["content"]["application/json"]["examples"]["collected"]["value"]
    check = make_validator({"$ref": "#/components/schemas/Order"})
    assert check.is_valid(example)
    assert not check.is_valid(example | wrong)
