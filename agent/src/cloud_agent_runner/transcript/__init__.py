"""What happens in the session, for people to follow: recorded, masked and sent in batches (docs/transcript.md)."""
