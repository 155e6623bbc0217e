"""The versions of the schema, and what runs them."""
