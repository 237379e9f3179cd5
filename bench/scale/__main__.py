"""`python -m bench.scale`: compute, print and write the tables of docs/scale.md."""

import argparse
import sys
from collections.abc import Sequence

from bench.environment.bench_environment import BenchEnvironment
from bench.errors import BenchError
from bench.scale.page import build_parts, write_page
from bench.scale.per_order import count_order, write_counts
from kycourier_devkit.errors import DevkitError


def main(arguments: Sequence[str]) -> int:
    """Computes; with `--count` first count what one order uses of the cloud."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument(
        "--count", action="store_true", help="collect orders and count their calls"
    )
    if parser.parse_args(arguments).count:
        try:
            with BenchEnvironment() as environment:
                write_counts(count_order(environment))
        except (BenchError, DevkitError) as error:
            print(f"scale: {error}", file=sys.stderr)
            return 2
    print("\n\n".join(build_parts().values()))
    write_page()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
