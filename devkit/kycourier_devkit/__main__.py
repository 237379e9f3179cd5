"""Runs the command line as `python -m kycourier_devkit`."""

from kycourier_devkit.cli.main import main

if __name__ == "__main__":
    main()
