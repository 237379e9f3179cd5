"""Renders an exception as crash reporters do, with every frame's variables."""

import traceback
from pathlib import Path

TESTS = str(Path(__file__).parents[2])


def report_crash(error: BaseException) -> dict[str, str]:
    """Return an error and its causes as text, without frames of the tests.

    Each frame is rendered once as the standard library does and once as Sentry does.
    """
    chain = [error]
    while (earlier := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(earlier)
    report = {}
    for number, each in enumerate(chain):
        report[f"error {number}"] = f"{each} {each!r} {each.args!r} {vars(each)!r}"
        rendered = traceback.TracebackException.from_exception(
            each, capture_locals=True
        )
        for line, (frame, _) in zip(
            rendered.stack, traceback.walk_tb(each.__traceback__), strict=True
        ):
            if line.filename.startswith(TESTS):
                continue
            where = f"{line.name} in {Path(line.filename).name}:{line.lineno}"
            report[where] = f"{line.locals} {line.line}"
            report[f"{where}, each"] = " ".join(map(repr, frame.f_locals.values()))
    return report
