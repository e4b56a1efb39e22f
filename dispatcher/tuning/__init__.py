"""Tuning parameters, collected from the code that reads them, and rules from outside."""
