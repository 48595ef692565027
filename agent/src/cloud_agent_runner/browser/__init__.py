"""Chromium, by which Claude looks at the preview: the program, and what of the network it reaches."""
