"""Policy: what the system decides and says. Imports neither boto3 nor a GitHub client."""
