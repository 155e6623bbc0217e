"""The core: tasks, their rules, and the ports that adapters implement."""
