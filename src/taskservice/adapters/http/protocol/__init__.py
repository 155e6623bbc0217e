"""HTTP protocol for all operations: requests, authorization, preconditions, problems."""
