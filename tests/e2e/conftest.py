"""End to end: the real programs with real Kafka, PostgreSQL and Redis, over HTTP and Kafka only."""

from harness.fixtures import *  # noqa: F401,F403
