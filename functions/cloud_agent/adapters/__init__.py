"""The edge: each module speaks to one service and turns its errors into those of `cloud_agent.domain.errors`."""
