"""What those who report crashes take along: every frame's variables, spelled out."""

import traceback
from pathlib import Path

TESTS = str(Path(__file__).parent)


def report_crash(error: BaseException) -> dict[str, str]:
    """Give an error as reported, but for the tests' own frames, which hold canaries.

    Once as the standard library does, once as Sentry does, causes included.
    """
    chain = [error]
    while (earlier := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(earlier)
    report = {}
    for number, each in enumerate(chain):
        report[f"error {number}"] = f"{each} {each!r} {each.args!r} {vars(each)!r}"
        told = traceback.TracebackException.from_exception(each, capture_locals=True)
        for place, (frame, _) in zip(
            told.stack, traceback.walk_tb(each.__traceback__), strict=True
        ):
            if place.filename.startswith(TESTS):
                continue
            where = f"{place.name} in {Path(place.filename).name}:{place.lineno}"
            report[where] = f"{place.locals} {place.line}"
            report[f"{where}, each"] = " ".join(map(repr, frame.f_locals.values()))
    return report
