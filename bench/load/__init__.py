"""A load run: `kycourier serve`, eight workers and a Redis, until every order ended."""
