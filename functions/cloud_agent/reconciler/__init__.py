"""What the schedule does each minute: ends idle sessions and repairs what an outage left behind. One duty a module."""
