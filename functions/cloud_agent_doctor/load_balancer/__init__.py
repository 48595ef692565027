"""The load balancer: which one is in use, its listener rules, and the DNS record that points to it."""
