"""What runs of its own accord: timers and housekeeping."""
