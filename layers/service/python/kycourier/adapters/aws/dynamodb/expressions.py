"""Builds DynamoDB's update and condition expressions."""

from collections.abc import Mapping

from kycourier.adapters.aws.dynamodb.items import Value, to_wire

Attributes = Mapping[str, Value | None]


class Expressions:
    """Collects the names and values of an update's and its condition's expressions.

    All names have placeholders, because DynamoDB reserves hundreds of words.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, dict[str, str | bytes]] = {}

    def update(self, attributes: Attributes) -> str:
        """Returns an expression that sets each attribute, or removes it for None."""
        present = {name: new for name, new in attributes.items() if new is not None}
        removed = [self.name(name) for name in attributes if name not in present]
        set_ = [
            f"{self.name(name)} = {self.value(new)}" for name, new in present.items()
        ]
        remove = f"REMOVE {', '.join(removed)} " if removed else ""
        return f"{remove}SET {', '.join(set_)}"

    def condition(self, expected: Attributes) -> str:
        """Returns an expression that requires each value, or absence for None."""
        return " AND ".join(
            f"attribute_not_exists({self.name(name)})"
            if value is None
            else f"{self.name(name)} = {self.value(value)}"
            for name, value in expected.items()
        )

    def name(self, name: str) -> str:
        """Returns the placeholder of a name."""
        self.names[f"#{name}"] = name
        return f"#{name}"

    def value(self, value: Value) -> str:
        """Returns the placeholder of a value."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = to_wire(value)
        return placeholder
