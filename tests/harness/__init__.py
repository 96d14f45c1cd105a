"""One class per program: Kafka, Postgres, Redis, Service, Simulator; Stack holds them together.

Used by the tests and by ops/lib/stack.py alike. Only the standard library is needed, so that a
stack can be started before anything is installed from a Python package index.
"""
