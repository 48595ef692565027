"""Listeners, rules, host names and the record that leads to them."""
