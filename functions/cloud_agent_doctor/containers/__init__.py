"""Task definitions, tasks and what their containers are told."""
