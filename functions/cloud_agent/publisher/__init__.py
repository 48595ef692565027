"""What people see on the pull request: a projection of the table, brought there by steps and by the table's stream."""
