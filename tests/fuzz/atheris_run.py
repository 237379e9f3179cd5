"""Fuzz one target with atheris, which lives in an environment of its own.

`python atheris_run.py MODULE TARGET [libFuzzer's arguments]`; fuzz.py calls it.
"""

import importlib
import sys

import atheris


def main() -> None:
    """Instrument the service while it is imported, and fuzz until told to stop."""
    script, module, name, *arguments = sys.argv
    atheris.enabled_hooks.add("str")  # "RegEx" breaks what json does with patterns
    with atheris.instrument_imports(include=["kycourier", module]):
        targets = importlib.import_module(module)
    again = f"{sys.executable} {script} {module} {name}"  # -merge runs it in a shell
    atheris.Setup([again, *arguments], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
