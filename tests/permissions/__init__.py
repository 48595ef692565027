"""What the code and the workflow ask of AWS, derived from them, and the IAM actions that it takes."""
