"""The service: HTTP, Redis, processes."""
