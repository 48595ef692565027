"""Who may see a session: decided before anything about the session is looked up or said."""
