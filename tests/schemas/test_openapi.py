"""The published description of the API: valid, complete, and in step with the code."""

import json

import pytest
from openapi_spec_validator import validate

from api_caller import ApiCaller
from kycourier import __version__
from kycourier.adapters.triggers.problems import PROBLEMS
from kycourier.core import request_signature
from kycourier.core.message import MOST_BYTES
from kycourier.core.models import Document, PhotoKind
from kycourier.core.order_record import State
from kycourier.core.ticket import Freshness
from openapi_check import load_schema, validator, walk
from worlds import World

API = load_schema("openapi.json")
SCHEMAS = API["components"]["schemas"]
EVENT_DEFINITIONS = load_schema("event.schema.json")["$defs"]
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


def test_it_is_valid_openapi_3_1():
    assert API["openapi"] == "3.1.0"
    validate(API)


def test_it_is_of_the_packages_version():
    assert API["info"]["version"] == __version__


@pytest.mark.parametrize("name", sorted(EVENT_DEFINITIONS.keys() & SCHEMAS.keys()))
def test_what_event_and_api_share_is_the_same(name):
    spelled = json.dumps(EVENT_DEFINITIONS[name])
    assert (
        json.loads(spelled.replace("#/$defs/", "#/components/schemas/"))
        == (SCHEMAS[name])
    )


def test_a_result_is_built_of_what_the_event_says():
    shared = EVENT_DEFINITIONS.keys() & SCHEMAS.keys()
    assert shared == EVENT_DEFINITIONS.keys() - {"CollectedData", "EndedData", "Ids"}


def test_its_words_are_the_codes():
    assert SCHEMAS["Problem"]["properties"]["code"]["enum"] == list(PROBLEMS)
    assert SCHEMAS["Order"]["properties"]["state"]["enum"] == values(State)
    assert SCHEMAS["Document"]["enum"] == values(Document)
    assert SCHEMAS["PhotoKind"]["enum"] == values(PhotoKind)
    assert SCHEMAS["Ticket"]["properties"]["state"]["enum"] == values(Freshness)
    scheme = API["components"]["securitySchemes"]["signature"]
    assert scheme["name"] == request_signature.HEADER


@pytest.mark.parametrize(("code", "problem"), PROBLEMS.items())
def test_every_problem_is_told_where_its_status_is_described(code, problem):
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


def test_the_limits_are_the_codes():
    assert MOST_BYTES == 16 * 1024
    for code in ("body_too_large", "url_too_long", "headers_too_large"):
        assert "16 KiB" in PROBLEMS[code][1]
    assert request_signature.TOLERANCE_SECONDS == 300
    assert "300 s" in PROBLEMS["signature_expired"][1]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_describes_what_can_go_wrong(method, path, operation):
    assert {"400", "401", "413", "414", "431", "500", "503"} <= operation[
        "responses"
    ].keys()
    assert operation["operationId"]
    assert method in {"get", "put", "post"}
    assert path.startswith("/v1/")


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_is_there(method, path, operation):
    api = ApiCaller(World())
    order = path.replace("{order_no}", "order1").replace("{kind}", "original")
    answer = api.call(method.upper(), order)
    assert str(answer.status) in operation["responses"]
    if answer.status >= 400:
        assert answer.code in {"unknown_order", "unknown_photo"}


def test_every_response_forbids_storing_and_sniffing():
    responses = list(API["components"]["responses"].values())
    for _, _, operation in OPERATIONS:
        responses += operation["responses"].values()
    for response in responses:
        assert (
            "$ref" in response
            or {
                "Cache-Control",
                "X-Content-Type-Options",
            }
            <= response["headers"].keys()
        )


def test_every_object_is_closed():
    open_ones = [
        name
        for name, schema in SCHEMAS.items()
        if schema.get("type") == "object"
        and schema.get("additionalProperties") is not False
    ]
    assert open_ones == ["CollectedResult", "EndedResult"]
    closed = SCHEMAS["Result"]["oneOf"][1:]
    assert [schema["unevaluatedProperties"] for schema in closed] == [False, False]


def test_every_example_is_one():
    seen = 0
    for body in BODIES:
        for content in body.get("content", {}).values():
            examples = [each["value"] for each in content.get("examples", {}).values()]
            for example in [*examples, *filter(None, [content.get("example")])]:
                validator(content["schema"]).validate(example)
                seen += 1
    for member in walk(API):
        if "schema" in member and "in" in member and "example" in member:
            validator(member["schema"]).validate(member["example"])
            seen += 1
    for schema in walk(SCHEMAS):
        for example in schema.get("examples", ()):
            validator(schema).validate(example)
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
    ],
)
def test_an_order_that_is_not_one_is_refused(wrong):
    content = API["paths"]["/v1/orders/{order_no}"]["get"]["responses"]["200"]
    example = content["content"]["application/json"]["examples"]["collected"]["value"]
    check = validator({"$ref": "#/components/schemas/Order"})
    assert check.is_valid(example)
    assert not check.is_valid(example | wrong)
