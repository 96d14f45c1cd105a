"""Faults: each test breaks something on purpose, on a stack of its own."""

from harness.fixtures import *  # noqa: F401,F403
