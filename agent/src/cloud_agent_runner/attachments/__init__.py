"""The images that people attached to what Claude is asked."""
