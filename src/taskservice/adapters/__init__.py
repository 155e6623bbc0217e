"""The core, plugged into the world: storage on one side, HTTP on the other."""
