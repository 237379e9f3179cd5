"""The service over real sockets against a platform with transport faults (1 to 17)."""
