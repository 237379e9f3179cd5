"""How DynamoDB is told what to change, and on what condition."""

from collections.abc import Mapping

from kycourier.adapters.aws.items import Value, to_wire

Attributes = Mapping[str, Value | None]


class Change:
    """An update's and its condition's expressions, with the names and values in them.

    All names stand apart, since DynamoDB reserves hundreds of words.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, dict[str, str | bytes]] = {}

    def update(self, attributes: Attributes) -> str:
        """Set each attribute, or take it away where it is None."""
        there = {name: at for name, at in attributes.items() if at is not None}
        gone = [self.name(name) for name in attributes if name not in there]
        given = [f"{self.name(name)} = {self.value(at)}" for name, at in there.items()]
        remove = f"REMOVE {', '.join(gone)} " if gone else ""
        return f"{remove}SET {', '.join(given)}"

    def condition(self, expected: Attributes) -> str:
        """Demand each attribute as it is told, or that there is none."""
        return " AND ".join(
            f"attribute_not_exists({self.name(name)})"
            if at is None
            else f"{self.name(name)} = {self.value(at)}"
            for name, at in expected.items()
        )

    def name(self, name: str) -> str:
        """Give what stands for a name."""
        self.names[f"#{name}"] = name
        return f"#{name}"

    def value(self, value: Value) -> str:
        """Give what stands for a value."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = to_wire(value)
        return placeholder
