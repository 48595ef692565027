"""The containers in use: task definitions, tasks and environment variables."""
