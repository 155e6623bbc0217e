"""Administration: migrations, partitions, pruning."""
