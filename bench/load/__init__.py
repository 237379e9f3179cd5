"""A load run of `kycourier serve` with many workers, checked for lost orders."""
