"""G15: size of a zipped function with its layers."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure
from kycourier_devkit.package.clouds import AWS

MAX_MEGABYTES = 12


def measure(environment: BenchEnvironment) -> Measured:
    """Adds up the zips that one function is deployed with."""
    environment.on_total(1)
    figures = []
    for architecture in AWS.architectures:
        zips = [environment.packages / name for name in AWS.zip_names(architecture)]
        size = sum(path.stat().st_size for path in zips) / 1e6
        figures.append(
            Figure(label=architecture, measured=size, unit="MB", goal=MAX_MEGABYTES)
        )
    environment.on_round()
    return figures, ["boto3 is in Lambda's runtime and not counted."]


GOAL = Goal("G15", "a function zipped, with its layers", measure)
