"""Notifications on their way out: whom, when, in which words, and by which way."""
