"""`python -m kycourier_devkit` is `kycourier`."""

from kycourier_devkit.cli import main

if __name__ == "__main__":
    main()
