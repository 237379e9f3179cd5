"""SAM's template on standard input → the CloudFormation that AWS makes of it, as JSON.

Run by the interpreter of SAM's own environment; the one argument is the parameters'
values, as JSON.
"""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class _NoManagedPolicies:
    """Where SAM looks up AWS's managed policies by name: we use none."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    """Translate."""
    template, parameters = yaml_parse(sys.stdin.read()), json.loads(sys.argv[1])
    translated = transform(template, parameters, _NoManagedPolicies())
    print(json.dumps(translated))  # noqa: T201 - what the parent reads


if __name__ == "__main__":
    main()
