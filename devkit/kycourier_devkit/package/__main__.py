"""Runs `python -m kycourier_devkit.package`."""

import sys

from kycourier_devkit.package.command import main

sys.exit(main(sys.argv[1:]))
