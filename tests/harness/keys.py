"""Secrets of a stack: reference and sealing keys, and one API key of each scope."""

import hashlib
import json
import secrets
from pathlib import Path

APPLY = ["applications:write", "applications:read", "vouchers:read", "status:read"]
ROSTERS = ["rosters:write", "rosters:read", "units:read"]

# name of the key in stack.json: what it may do, and for which channels it may speak (all, where
# there is no list). The scope * stands for all of them.
API_KEYS = {
    "admin": {"scopes": ["*"]},
    "bank_outlet": {"scopes": [*APPLY, "cards:write", "cards:hand_out", "vouchers:write",
                               "bank_results:write"],
                    "channels": ["bank_outlet", "bank_phone", "terminal"]},
    "unit": {"scopes": [*APPLY, *ROSTERS], "channels": ["unit"]},
    "school": {"scopes": [*APPLY, *ROSTERS], "channels": ["school"]},
    "online": {"scopes": [*APPLY, "cards:write"], "channels": ["online"]},
    "upstream": {"scopes": [*APPLY, "enrolment:write"], "channels": ["upstream"]},
    "hotline_12345": {"scopes": ["applications:read", "status:read", "cards:write",
                                 "work_orders:write", "work_orders:read"],
                      "channels": ["hotline_12345"]},
    "bank_system": {"scopes": ["bank_results:write"], "channels": ["bank_outlet"]},
    "migration": {"scopes": ["*"], "may_backdate": True},
}


def _write(path, text):
    path.touch(mode=0o600)
    path.write_text(text)


class Keys:
    """Files below <run>/keys; made once, then left as they are."""

    def __init__(self, run_dir):
        self.dir = Path(run_dir) / "keys"
        self.reference = self.dir / "reference.key"
        self.sealing = self.dir / "sealing.json"
        self.api_keys = self.dir / "api_keys.json"  # hashes, for the services
        self._plain = self.dir / "api_keys.plain.json"

    def file(self, name):
        """Of one key in the clear, for a service that is itself a client."""
        return self.dir / f"{name}.key"

    def prepare(self):
        if not self._plain.exists():
            self._make()
        for name, key in self.plain().items():
            if not self.file(name).exists():
                _write(self.file(name), key + "\n")

    def _make(self):
        self.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.reference, secrets.token_hex(32) + "\n")
        _write(self.sealing, json.dumps({"active": 1, "keys": {"1": secrets.token_hex(32)}}) + "\n")
        plain = {name: f"cf_{name}_{secrets.token_urlsafe(24)}" for name in API_KEYS}
        _write(self.api_keys, json.dumps([
            {"name": name, "key_sha256": hashlib.sha256(plain[name].encode()).hexdigest(), **rights}
            for name, rights in API_KEYS.items()], indent=1) + "\n")
        _write(self._plain, json.dumps(plain) + "\n")

    def plain(self):
        """{name: the key that a client sends}"""
        return json.loads(self._plain.read_text())
