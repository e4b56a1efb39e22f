"""The judge of what is stored: promises checked on a survey of one market."""
