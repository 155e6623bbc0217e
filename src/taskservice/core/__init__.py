"""What a task is, what may be done with it, and what a home for tasks promises."""
