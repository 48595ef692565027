"""Security groups: their rules, and whether a hop admits the hop before it."""
