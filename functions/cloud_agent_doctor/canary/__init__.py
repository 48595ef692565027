"""The canary: a task that's always healthy, probed by its public name."""
