"""Goals about memory, connections, throughput, stored orders and package size."""
