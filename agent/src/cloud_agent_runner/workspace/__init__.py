"""The user whom the repository's programs and Claude run as: commands, limits, memory and disk."""
