"""Saved decisions: what every plan was made from, what it chose, what became of it; and how that replays."""
