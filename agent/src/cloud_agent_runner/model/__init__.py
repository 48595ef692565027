"""The model behind the gateway: where it is, what a request costs, what a session may spend."""
