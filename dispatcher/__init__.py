"""The service: HTTP, Redis, processes."""

__version__ = "0.1.0"
