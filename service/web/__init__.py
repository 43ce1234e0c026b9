"""HTTP plumbing that all resources share."""
