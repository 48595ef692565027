"""The lunch board's tests."""
