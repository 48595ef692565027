"""The canary: a task that's always well, visited by its public name."""
