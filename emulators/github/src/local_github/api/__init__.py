"""The REST and GraphQL endpoints, one module per idea; each exports its ROUTES."""
