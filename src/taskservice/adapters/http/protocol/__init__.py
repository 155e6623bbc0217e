"""HTTP itself, whatever the operation: requests, problems, preconditions, authorization."""
