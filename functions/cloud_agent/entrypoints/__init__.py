"""The Lambda functions that are not states: HTTP routes and EventBridge targets."""
