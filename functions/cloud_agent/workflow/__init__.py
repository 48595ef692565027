"""One module per Lambda state of statemachine/session.asl.json, under the state's own name."""
