"""The operations: tasks and health, with their schemas, cursors and responses."""
