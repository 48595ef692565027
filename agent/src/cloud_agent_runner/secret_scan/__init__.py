"""What is about to be pushed, searched for secrets."""
