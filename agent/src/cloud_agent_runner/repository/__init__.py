"""What the repository says of itself in its own file."""
