"""ECS's Task State Change events."""
