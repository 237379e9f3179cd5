"""A template is evaluated as CloudFormation evaluates it."""

import pytest

from kycourier_devkit.emulators.aws.cloudformation import evaluate

TEMPLATE = {
    "Parameters": {"Size": {"Default": "small"}, "Days": {"Default": 0}},
    "Mappings": {"Sizes": {"small": {"Memory": "128"}, "large": {"Memory": "512"}}},
    "Conditions": {
        "IsLarge": {"Fn::Equals": [{"Ref": "Size"}, "large"]},
        "IsKept": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Days"}, 0]}]},
        "IsBoth": {"Fn::And": [{"Condition": "IsLarge"}, {"Condition": "IsKept"}]},
        "IsEither": {"Fn::Or": [{"Condition": "IsLarge"}, {"Condition": "IsKept"}]},
    },
}


def value(node: object, known: dict[str, str] | None = None, **parameters: str):
    """Evaluate one node."""
    template = {**TEMPLATE, "Resources": {"One": {"Properties": {"Value": node}}}}
    evaluated = evaluate(template, parameters, known=known)
    return evaluated["Resources"]["One"]["Properties"].get("Value")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Size"}, "small"),
        ({"Ref": "Table"}, "${Table}"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "${Table.Arn}"),
        ({"Fn::GetAtt": "Table.Arn"}, "${Table.Arn}"),
        ({"Fn::Sub": "a/${Size}/${Table.Arn}"}, "a/small/${Table.Arn}"),
        ({"Fn::Sub": ["${Own}-${Size}", {"Own": {"Ref": "Days"}}]}, "0-small"),
        ({"Fn::Sub": "${!Literal}"}, "${!Literal}"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}]]}, "a-small"),
        ({"Fn::Select": ["1", {"Fn::Split": ["://", "x://y"]}]}, "y"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Size"}, "Memory"]}, "128"),
        ({"Fn::If": ["IsLarge", 1, 2]}, 2),
        ({"Ref": "AWS::NoValue"}, None),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
    ],
)
def test_node_has_the_value_that_cloudformation_derives(
    node: object, expected: object
) -> None:
    assert value(node) == expected


@pytest.mark.parametrize(
    ("size", "days", "held"),
    [
        ("small", "0", set()),
        ("large", "0", {"IsLarge", "IsEither"}),
        ("small", "7", {"IsKept", "IsEither"}),
        ("large", "7", {"IsLarge", "IsKept", "IsBoth", "IsEither"}),
    ],
)
def test_resource_exists_if_its_condition_holds(
    size: str, days: str, held: set[str]
) -> None:
    resources = {name: {"Condition": name} for name in TEMPLATE["Conditions"]}
    template = {**TEMPLATE, "Resources": resources}

    evaluated = evaluate(template, {"Size": size, "Days": days})

    assert evaluated["Resources"].keys() == held


def test_known_value_replaces_every_reference() -> None:
    known = {"Table": "orders", "AWS::Region": "cn-north-1"}

    assert value({"Fn::Sub": "${AWS::Region}/${Table}"}, known) == "cn-north-1/orders"
    assert value({"Ref": "Table"}, known) == "orders"


def test_parameter_without_value_or_default_is_an_error() -> None:
    template = {"Parameters": {"AppId": {}}, "Resources": {}}

    with pytest.raises(KeyError):
        evaluate(template, {})
