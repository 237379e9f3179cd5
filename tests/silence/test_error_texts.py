"""An error says words of ours: nothing that somebody sent is put into one."""

import ast
from pathlib import Path

import pytest

import kycourier

ROOT = Path(kycourier.__file__).parent
# Names of settings and of what failed, and reasons that were chosen from a table.
WORDS = {
    "PREFIX", "variable", "setting.variable", "reason", "why", "name", "told['error']",
    "type(self).__name__", "errno.ENOSPC", "errno.EACCES", "self._explain()",
}  # fmt: skip
FORMS = {
    "adapters/aws/client.py": {
        "NO_TIME",
        "UNREADABLE",
        "UNREACHABLE if is_away else NO_ANSWER",
    },
    "adapters/local/files.py": {"self._error"},  # an errno
    "adapters/object_store.py": {"NO_BUCKET"},
    "adapters/tencent/clients.py": {"NONE", "NO_TIME"},
    "adapters/tencent/credentials.py": {"NONE"},
    "adapters/tencent/evidence.py": {"form"},
    "adapters/tencent/resources.py": {
        "form",
        "place.scheme",
        "' and '.join(sorted(known))",
    },
    "adapters/tencent/secrets.py": {"EMPTY"},
    "setting_forms.py": {"meaning", "known", "least", "most", "' or '.join(names)"},
}


def parts(argument: ast.expr) -> list[str]:
    """Give what an argument is made of, but for words that stand there."""
    if isinstance(argument, ast.Constant):
        return []
    if isinstance(argument, ast.JoinedStr):
        values = [
            each for each in argument.values if not isinstance(each, ast.Constant)
        ]
        return [ast.unparse(each.value) for each in values]
    return [ast.unparse(argument)]


def texts(source: str) -> set[str]:
    """Give what stands in the errors that a module raises."""
    return {
        part
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        if isinstance(node.exc.func, ast.Name)
        for argument in node.exc.args
        for part in parts(argument)
    }


MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_an_error_is_told_in_words_of_ours(module):
    allowed = WORDS | FORMS.get(module, set())
    assert texts(MODULES[module].read_text()) <= allowed


def test_a_text_that_is_put_into_an_error_is_found():
    assert texts("raise SettingError(variable, f'wrong: {text}')") == {
        "variable",
        "text",
    }
    assert texts("raise BadRequest(str(error))") == {"str(error)"}
