"""Fuzzes one target in atheris' own environment.

`python atheris_run.py MODULE TARGET [arguments of libFuzzer]`, started by `make fuzz`.
"""

import importlib
import sys

import atheris


def main() -> None:
    """Instrument the service while it is imported, then fuzz until the time limit."""
    script, module, name, *arguments = sys.argv
    atheris.enabled_hooks.add("str")  # "RegEx" breaks the patterns of json
    with atheris.instrument_imports(include=["kycourier", module]):
        targets = importlib.import_module(module)
    command = f"{sys.executable} {script} {module} {name}"  # -merge runs it in a shell
    atheris.Setup([command, *arguments], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
