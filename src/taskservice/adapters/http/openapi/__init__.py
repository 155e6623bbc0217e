"""The OpenAPI document: blueprints that document themselves, headers, problems, examples."""
