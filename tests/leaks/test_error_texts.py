"""Errors are raised with fixed texts only, never with input."""

import ast
import re
from pathlib import Path

import pytest

import kycourier

ROOT = Path(kycourier.__file__).parent
# Names of settings and of errors, and reasons from a table.
ALLOWED = {
    "PREFIX", "variable", "setting.variable", "reason", "name", "type(self).__name__",
    "errno.ENOSPC", "errno.EACCES",
}  # fmt: skip
ALLOWED_IN_MODULE = {
    "adapters/aws/client.py": {
        "NO_TIME", "UNREADABLE", "UNREACHABLE", "NO_RESPONSE",
        "http.status", "symbol", "response",  # `call_failed` keeps a checked symbol
    },
    "adapters/aws/evidence.py": {"_FORM"},
    "adapters/aws/queue.py": {"UNREADABLE"},
    "adapters/aws/secrets.py": {"self._explain_absence()"},
    "adapters/local/files.py": {"self._error", "symbol"},  # of an errno or of SQLite
    "adapters/registry.py": {"_NO_SERVICE"},
    "adapters/s3/evidence.py": {"NO_BUCKET"},
    "adapters/tencent/client.py": {
        "NONE", "NO_TIME", "members['Error']['Code']",  # the same
    },
    "adapters/tencent/credentials.py": {"NONE"},
    "adapters/tencent/evidence.py": {"form"},
    "adapters/tencent/secrets.py": {"EMPTY"},
    "adapters/tencent/urls.py": {"form", "url.scheme", "' and '.join(sorted(known))"},
    "core/documents/photos.py": {"kind"},
    "core/wire/lenient_fields.py": {"field"},  # a name of ours
    "settings/parsers.py": {
        "meaning", "known", "minimum", "maximum", "' or '.join(names)",
    },
    "triggers/invocation.py": {"fields['error']"},  # an error's code or class
    "usecases/refresh_ticket.py": {"stop"},  # the problem that the breaker keeps
}  # fmt: skip


CAUSE = re.compile(r"Cause\.[A-Z_]+|Problem\(Cause\.[A-Z_]+\)")


def expressions(argument: ast.expr) -> list[str]:
    """Return the expressions of an argument that are no constants."""
    if isinstance(argument, ast.Constant) or CAUSE.fullmatch(ast.unparse(argument)):
        return []
    if isinstance(argument, ast.JoinedStr):
        values = [
            each for each in argument.values if not isinstance(each, ast.Constant)
        ]
        return [ast.unparse(each.value) for each in values]
    return [ast.unparse(argument)]


def error_expressions(source: str) -> set[str]:
    """Return the expressions in the errors that a module raises."""
    return {
        expression
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        if isinstance(node.exc.func, ast.Name)
        for argument in node.exc.args
        for expression in expressions(argument)
    }


MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_errors_are_raised_with_fixed_texts_only(module):
    allowed = ALLOWED | ALLOWED_IN_MODULE.get(module, set())
    assert error_expressions(MODULES[module].read_text()) <= allowed


def test_input_in_an_error_is_detected():
    assert error_expressions("raise SettingError(variable, f'wrong: {text}')") == {
        "variable",
        "text",
    }
    assert error_expressions("raise ApiProblemError(str(error))") == {"str(error)"}
