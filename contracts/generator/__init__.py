"""Writes the contracts that follow from code: `make contracts`."""
