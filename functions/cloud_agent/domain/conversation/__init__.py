"""What people and the system say to each other on a pull request."""
