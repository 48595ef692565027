"""The team's lunch board."""
