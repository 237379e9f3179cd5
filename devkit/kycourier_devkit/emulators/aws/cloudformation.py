"""Evaluates a CloudFormation template: parameters, mappings, conditions, functions.

A value that only AWS knows (a resource's name or attribute, the region) becomes
`${Name}`, whichever of `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` the template uses,
so that values can be compared.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Template = Mapping[str, Any]

_NO_VALUE = object()  # AWS::NoValue: removes the member that refers to it
_NAMED = re.compile(r"\$\{([^!}][^}]*)\}")


def evaluate(
    template: Template,
    parameters: Mapping[str, str],
    *,
    known: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the evaluated resources and outputs whose conditions hold.

    Args:
        template: The template.
        parameters: Parameter values; a missing one has its default.
        known: Values that AWS would know: `{"AWS::Region": …, "Queue.Arn": …}`.

    Raises:
        KeyError: A parameter has neither value nor default.
    """
    evaluator = _Evaluator(template, parameters, known or {})
    return {
        section: {
            name: evaluator.value(node)
            for name, node in template.get(section, {}).items()
            if evaluator.holds(node.get("Condition"))
        }
        for section in ("Resources", "Outputs")
    }


class _Evaluator:
    """One template with its parameters' values."""

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, str],
        known: Mapping[str, str],
    ) -> None:
        declared = template.get("Parameters", {})
        self._parameters = {
            name: str(parameters[name] if name in parameters else parameter["Default"])
            for name, parameter in declared.items()
        }
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._known = known
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._refer,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substitute,
            "Fn::Join": lambda args: args[0].join(map(str, self.value(args[1]))),
            "Fn::Split": lambda args: str(self.value(args[1])).split(args[0]),
            "Fn::Select": lambda args: self.value(args[1])[int(args[0])],
            "Fn::FindInMap": self._find,
            "Fn::If": self._choose,
        }

    def holds(self, condition: Any) -> bool:  # noqa: ANN401 - a template's node
        """Returns whether a condition, or the one of that name, holds; None does."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self.holds(argument)
        if function == "Fn::Equals":
            left, right = map(self.value, argument)
            return str(left) == str(right)
        held = [self.holds(each) for each in argument]
        return {"Fn::And": all(held), "Fn::Or": any(held), "Fn::Not": not held[0]}[
            function
        ]

    def value(self, node: Any) -> Any:  # noqa: ANN401 - a template's node
        """Returns the value of a node."""
        if isinstance(node, Mapping):
            if len(node) == 1 and (function := next(iter(node))) in self._functions:
                return self._functions[function](node[function])
            items = ((name, self.value(inner)) for name, inner in node.items())
            return {name: inner for name, inner in items if inner is not _NO_VALUE}
        if isinstance(node, list):
            values = map(self.value, node)
            return [inner for inner in values if inner is not _NO_VALUE]
        return node

    def _refer(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        return self._known.get(name, f"${{{name}}}")

    def _attribute(self, argument: str | list[str]) -> object:
        return self._refer(
            argument if isinstance(argument, str) else ".".join(argument)
        )

    def _substitute(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        names = {name: str(self.value(node)) for name, node in own.items()}
        return _NAMED.sub(
            lambda found: names.get(found[1]) or str(self._refer(found[1])), text
        )

    def _find(self, argument: list[Any]) -> object:
        name, first, second = map(self.value, argument)
        return self._mappings[name][first][second]

    def _choose(self, argument: list[Any]) -> object:
        condition, held, other = argument
        return self.value(held if self.holds(condition) else other)
