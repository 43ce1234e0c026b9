"""HTTP in, answers out: the service around the matching library."""
