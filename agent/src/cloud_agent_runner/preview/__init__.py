"""The repository's own dev server: found, run, watched and reached."""
