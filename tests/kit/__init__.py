"""What tests of more than one folder share; docs/testing.md says what belongs here."""
