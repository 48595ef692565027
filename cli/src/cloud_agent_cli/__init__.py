"""`cloud-agent`, the command."""
