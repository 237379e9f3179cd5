"""Prints the mutants of one module, one JSON object a line.

Uses mutmut's operators and five more, also at module level, which `mutmut run` skips.
Called with a module's name and file, in mutmut's own environment.
"""

import difflib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

TRUE, FALSE, NONE = (cst.Name(name) for name in ("True", "False", "None"))


def force_condition(node: cst.If) -> Iterable[cst.If]:
    return (node.with_changes(test=value) for value in (TRUE, FALSE))


def force_guard(node: cst.MatchCase) -> Iterable[cst.MatchCase]:
    if node.guard is not None:
        yield node.with_changes(guard=TRUE)


def return_nothing(node: cst.Return) -> Iterable[cst.Return]:
    if node.value is not None and not NONE.deep_equals(node.value):
        yield node.with_changes(value=NONE)


def drop_element(node: cst.Dict | cst.Set | cst.Tuple) -> Iterable[cst.CSTNode]:
    if len(node.elements) > 1:
        for i in range(len(node.elements)):
            left = [*node.elements[:i], *node.elements[i + 1 :]]
            yield node.with_changes(elements=left)


def one_less(node: cst.Integer) -> Iterable[cst.CSTNode]:
    if node.evaluated_value > 0:
        yield node.with_changes(value=repr(node.evaluated_value - 1))


OPERATORS = [
    *mutation_operators,
    (cst.If, force_condition),
    (cst.MatchCase, force_guard),
    (cst.Return, return_nothing),
    (cst.Dict | cst.Set | cst.Tuple, drop_element),
    (cst.Integer, one_less),
]


def make_mutants(module_name: str, path: Path) -> Iterator[dict[str, str]]:
    """Yield each mutant once: its text, and the lines that differ."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    visitor = MutationVisitor(OPERATORS, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    texts = {module.code}
    for mutation in visitor.mutations:
        mutant = module.deep_replace(mutation.original_node, mutation.mutated_node)
        if mutant.code not in texts:
            texts.add(mutant.code)
            within = getattr(mutation.contained_by_top_level_function, "name", None)
            yield {
                "module": module_name,
                "within": within.value if within else "",
                "text": mutant.code,
                **_difference(module.code, mutant.code),
            }


def _difference(old: str, new: str) -> dict[str, str]:
    lines = [*difflib.unified_diff(old.splitlines(), new.splitlines(), n=0)][2:]
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign))
        for sign in "-+"
    )
    return {"was": was, "becomes": becomes}


if __name__ == "__main__":
    for mutant in make_mutants(sys.argv[1], Path(sys.argv[2])):
        print(json.dumps(mutant))
