"""What each decision about a webhook delivery makes happen."""
