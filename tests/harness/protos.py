"""The messages of proto/ as Python classes, generated when first asked for."""

import importlib
import subprocess
import sys
import types
from pathlib import Path

from .kafka import ROOT

FOLDER = ROOT / ".run" / "proto-py"


def load():
    """A namespace with one module a file: load().application.ApplicationCommand(...)"""
    sources = sorted((ROOT / "proto").glob("cardflow/v1/*.proto"))
    stamp = FOLDER / "stamp"
    newest = max(path.stat().st_mtime for path in sources)
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={FOLDER}",
                        *map(str, sources)], check=True)
        stamp.touch()
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return types.SimpleNamespace(**{
        Path(path).stem: importlib.import_module(f"cardflow.v1.{Path(path).stem}_pb2")
        for path in sources})
