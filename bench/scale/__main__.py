"""`python -m bench.scale`: compute docs/scale.md's tables, print them, renew it."""

import argparse
import sys
from collections.abc import Sequence

from bench.processes import BenchFailed
from bench.scale.count import count, write_count
from bench.scale.page import build_parts, renew
from bench.stage import Stage
from kycourier_devkit.errors import DevkitError


def main(arguments: Sequence[str]) -> int:
    """Compute; with `--count` count anew first what an order asks of the cloud."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument(
        "--count", action="store_true", help="have orders collected, and count"
    )
    if parser.parse_args(arguments).count:
        try:
            with Stage() as stage:
                write_count(count(stage))
        except (BenchFailed, DevkitError) as error:
            print(f"scale: {error}", file=sys.stderr)
            return 2
    print("\n\n".join(build_parts().values()))
    renew()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
