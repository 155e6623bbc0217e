"""API operations: tasks and health, with schemas, cursors and responses."""
