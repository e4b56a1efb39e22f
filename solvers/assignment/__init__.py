"""Vendor assignment: requests to vendors and start times."""
