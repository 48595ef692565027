"""Claude Cloud Agent's Lambda functions: one package, one build, one handler per module."""
