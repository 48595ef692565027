"""GitHub's REST and GraphQL APIs, spoken as the App's installation."""
