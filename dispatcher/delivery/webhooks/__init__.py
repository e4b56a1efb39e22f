"""Webhooks on their way out: whom, in which order, signed with what, and how often they are tried."""
