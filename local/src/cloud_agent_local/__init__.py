"""The whole system on one machine: embedded AWS, local GitHub, scripted model, and the `cloud-agent` command.

Nothing in here is shipped to AWS.
"""
