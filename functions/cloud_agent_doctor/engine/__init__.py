"""How checks run: what they ask through, what they find, in which order."""
