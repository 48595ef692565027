"""The stack itself: template, parameters, drift."""
