"""The JSON that GitHub's REST API and webhooks speak, built from rows and from git."""
