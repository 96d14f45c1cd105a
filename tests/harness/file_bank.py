"""A bank that only exchanges files: what `cardctl bank-files` gives it, and what it gives back."""

import csv
import datetime
import hashlib
import io
import json
import os
import subprocess
from pathlib import Path

COLUMNS = ("no", "bank_code", "type", "routing_key", "application_id", "batch_id", "line_no",
           "card_no", "reason", "at", "fee_type", "fee_amount", "notice_id", "password_kind",
           "tries")
FROM_ORDER = ("routing_key", "application_id", "batch_id", "line_no", "card_no")


class FileBank:
    def __init__(self, stack, code, folder):
        self.info, self.code, self.folder = stack.info(), code, Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.orders, self.notices, self.taken_files = [], [], []
        self._sent = 0

    # The command.
    def command(self, verb, *words):
        keys = self.info["key_files"]
        more = ["--reference-key-file", keys["reference"], "--sealing-key-file", keys["sealing"]]
        return [str(Path(self.info["build"]) / "bin" / "cardctl"), "bank-files", verb, "--bank",
                self.code, "--dir", str(self.folder), "--brokers", self.info["kafka"],
                "--operator", "li.w", "--purpose", "daily files",
                *(more if verb == "export" else []), *words]

    def run(self, verb, *words):
        return subprocess.run(self.command(verb, *words), capture_output=True, text=True,
                              timeout=60, env=dict(os.environ))

    def export(self):
        done = self.run("export")
        assert done.returncode == 0, done.stderr
        self.collect()
        return done.stdout

    def start_export(self):
        return subprocess.Popen(self.command("export"), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    # What the bank does.
    def collect(self):
        """Takes every file that has its manifest out of the folder, as a bank would."""
        for manifest in sorted(self.folder.glob("*.manifest.json")):
            said = json.loads(manifest.read_text())
            if said["what"] == "results":
                continue
            path = self.folder / said["file"]
            content = path.read_bytes()
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
            assert hashlib.sha256(content).hexdigest() == said["sha256"]
            assert len(rows) == said["lines"] and said["bank_code"] == self.code
            (self.orders if said["what"] == "orders" else self.notices).extend(rows)
            self.taken_files.append(said["file"])
            path.unlink()
            manifest.unlink()

    def order_of(self, application_id):
        found = [row for row in self.orders if row["application_id"] == application_id]
        return found[-1] if found else None

    def answer(self, order, step, **fields):
        """One line of results about an order (or a notice)."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        return {**{name: order.get(name, "") for name in FROM_ORDER}, "bank_code": self.code,
                "type": step, "at": now, **fields}

    @staticmethod
    def text(lines):
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
        writer.writeheader()
        for no, line in enumerate(lines, 1):
            writer.writerow({"no": no, **line})
        return out.getvalue().encode()

    def put(self, name, content, lines, **manifest):
        """A file and its manifest; manifest: what it says instead of the truth."""
        (self.folder / name).write_bytes(content)
        said = {"what": "results", "bank_code": self.code, "file": name, "lines": lines,
                "sha256": hashlib.sha256(content).hexdigest(), **manifest}
        (self.folder / name.replace(".csv", ".manifest.json")).write_text(json.dumps(said))
        return name

    def import_file(self, name):
        return self.run("import", "--file", name)

    def send(self, *lines):
        """Gives a file of results and has it imported; the report, by line."""
        self._sent += 1
        name = self.put(f"results-{self._sent}.csv", self.text(lines), len(lines))
        done = self.import_file(name)
        assert done.returncode == 0, done.stderr
        return self.report(name)

    def report(self, name):
        text = (self.folder / name.replace(".csv", ".report.csv")).read_text("utf-8")
        return list(csv.DictReader(io.StringIO(text, newline="")))
