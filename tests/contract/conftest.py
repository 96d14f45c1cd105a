import sys

from harness.kafka import ROOT

sys.path.insert(0, str(ROOT / "ops" / "lib"))  # api_docs.py
