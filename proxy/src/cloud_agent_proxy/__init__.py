"""The UAT proxy: HAProxy carries the bytes, this package tells it where each session is."""
