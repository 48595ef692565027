"""The routes of the Agent API, /agent/*, and what they share."""
