"""What a CloudFormation template comes to: parameters, mappings and conditions settled.

What only AWS can know (a resource's name or attribute, the region) stays as `${Name}`,
however the template spells it: `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` compare as
one then. What is known after all, `known` says: `{"AWS::Region": …, "Queue.Arn": …}`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Template = Mapping[str, Any]

_NOTHING = object()  # AWS::NoValue: what names it is left out
_NAMED = re.compile(r"\$\{([^!}][^}]*)\}")


def settle(
    template: Template,
    parameters: Mapping[str, str],
    *,
    known: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give the template's resources and outputs as they are made. Raises KeyError.

    `parameters` not given have their defaults. What a condition leaves out is left out.
    """
    settling = _Settling(template, parameters, known or {})
    return {
        section: {
            name: settling.value(what)
            for name, what in template.get(section, {}).items()
            if settling.holds(what.get("Condition"))
        }
        for section in ("Resources", "Outputs")
    }


class _Settling:
    """One template and its parameters' values."""

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, str],
        known: Mapping[str, str],
    ) -> None:
        slots = template.get("Parameters", {})
        self._parameters = {
            name: str(parameters[name] if name in parameters else slot["Default"])
            for name, slot in slots.items()
        }
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._known = known
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._name,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substitute,
            "Fn::Join": lambda given: given[0].join(map(str, self.value(given[1]))),
            "Fn::Split": lambda given: str(self.value(given[1])).split(given[0]),
            "Fn::Select": lambda given: self.value(given[1])[int(given[0])],
            "Fn::FindInMap": self._find,
            "Fn::If": self._choose,
        }

    def holds(self, condition: Any) -> bool:  # noqa: ANN401 - a template's node
        """Tell whether a condition, or the one of that name, holds; none does."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, given),) = condition.items()
        if function == "Condition":
            return self.holds(given)
        if function == "Fn::Equals":
            left, right = map(self.value, given)
            return str(left) == str(right)
        held = [self.holds(each) for each in given]
        return {"Fn::And": all(held), "Fn::Or": any(held), "Fn::Not": not held[0]}[
            function
        ]

    def value(self, node: Any) -> Any:  # noqa: ANN401 - a template's node
        """Give what a node comes to."""
        if isinstance(node, Mapping):
            if len(node) == 1 and (function := next(iter(node))) in self._functions:
                return self._functions[function](node[function])
            items = ((name, self.value(inner)) for name, inner in node.items())
            return {name: inner for name, inner in items if inner is not _NOTHING}
        if isinstance(node, list):
            values = map(self.value, node)
            return [inner for inner in values if inner is not _NOTHING]
        return node

    def _name(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self._parameters:
            return self._parameters[name]
        return self._known.get(name, f"${{{name}}}")

    def _attribute(self, given: str | list[str]) -> object:
        return self._name(given if isinstance(given, str) else ".".join(given))

    def _substitute(self, given: str | list[Any]) -> str:
        text, own = (given, {}) if isinstance(given, str) else given
        names = {name: str(self.value(node)) for name, node in own.items()}
        return _NAMED.sub(
            lambda found: names.get(found[1]) or str(self._name(found[1])), text
        )

    def _find(self, given: list[Any]) -> object:
        name, first, second = map(self.value, given)
        return self._mappings[name][first][second]

    def _choose(self, given: list[Any]) -> object:
        condition, held, other = given
        return self.value(held if self.holds(condition) else other)
