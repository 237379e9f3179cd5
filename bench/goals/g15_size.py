"""G15: how large a function is with its layers, zipped."""

from bench.figures import Figure
from bench.goal import Goal, Measured
from bench.stage import Stage
from kycourier_devkit.package.clouds import AWS

MOST_MEGABYTES = 12


def measure(stage: Stage) -> Measured:
    """Add up the zips that one function is deployed with."""
    stage.expect(1)
    figures = []
    for architecture in AWS.architectures:
        zips = [stage.packages / name for name in AWS.name_set(architecture)]
        size = sum(path.stat().st_size for path in zips) / 1e6
        figures.append(
            Figure(label=architecture, measured=size, unit="MB", goal=MOST_MEGABYTES)
        )
    stage.advance()
    return figures, ["boto3 is in Lambda's runtime and not counted."]


GOAL = Goal("G15", "a function zipped, with its layers", measure)
