"""The sessions table: a module for each kind of row."""
