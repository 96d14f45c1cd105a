"""What is large: on a build without sanitizers, with the services alone that it needs."""

import sys

from harness.fixtures import *  # noqa: F401,F403
from harness.kafka import ROOT

sys.path.insert(0, str(ROOT / "ops" / "lib"))  # the measurements of ops/bench
