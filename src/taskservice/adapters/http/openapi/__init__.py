"""OpenAPI document: self-documenting blueprint, headers, problems, examples."""
