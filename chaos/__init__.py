"""Kills, full disks and memory, fail-overs, damage, round after round, over real parts: `dispatcher chaos`.

Each scenario is one function of a `Trial`. The tests play the very same functions for a few rounds.
"""
