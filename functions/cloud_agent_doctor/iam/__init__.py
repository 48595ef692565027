"""Roles and the policies that they need."""
