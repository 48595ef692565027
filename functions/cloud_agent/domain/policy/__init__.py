"""How far sessions may go: limits, slots, idleness, redelivery, and what's said of failures."""
