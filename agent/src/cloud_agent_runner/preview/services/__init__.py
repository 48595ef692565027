"""The databases that a repository's dev server needs, as real servers beside it."""
