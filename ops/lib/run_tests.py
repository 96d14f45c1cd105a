"""ops/test: runs the suites and adds up what they found."""

import argparse
import dataclasses
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run"
sys.path.insert(0, str(ROOT / "tests"))

from harness.program import interruptible  # noqa: E402
from harness.stack import Stack  # noqa: E402

TOTAL_S = 80 * 60  # a guard for slow machines; two quiet cores need half of it
# A sanitizer's finding ends the program, so that no test passes over it.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:strict_string_checks=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
              "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:history_size=4:"
                              f"suppressions={ROOT}/tests/tsan/suppressions.txt"}
# The allocator of the services is watched like that of libc.
VALGRIND = ["valgrind", "-q", "--soname-synonyms=somalloc=*jemalloc*", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect",
            "--num-callers=30", "--error-exitcode=99"]


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def failure(note):
    return Count(failed=1, notes=[f"FAILED {note}"])


def skip(note):
    return Count(skipped=1, notes=[f"skipped {note}"])


class OutOfTime(Exception):
    """A suite took longer than it may."""


def run(argv, limit_s, **options):
    """Runs a program of the suite; on Ctrl-C or at the limit it may still clean up behind it."""
    child = subprocess.Popen([str(word) for word in argv], cwd=ROOT, stdin=subprocess.DEVNULL,
                             **options)
    try:
        return child.wait(limit_s)
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as stopped:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if isinstance(stopped, KeyboardInterrupt):
            raise
        raise OutOfTime(f"took longer than {limit_s:.0f} s") from stopped


def build(preset, *targets):
    """None, or what went wrong; a preset is built once a run, all of it or some targets."""
    if preset not in build.done:
        say(f"== building preset {preset}")
        log = RUN / f"build-{preset}.log"
        with open(log, "w", encoding="utf-8") as out:
            code = run(["cmake", "--preset", preset], 120, stdout=out, stderr=out) or \
                run(["cmake", "--build", f"build/{preset}",
                     *(["--target", *targets] if targets else [])], 900, stdout=out, stderr=out)
        if code:
            print("\n".join(log.read_text("utf-8", "replace").splitlines()[-40:]), flush=True)
        build.done[preset] = f"the build of preset {preset}, see {log}" if code else None
    return build.done[preset]


build.done = {}


def say(text):
    print(text, flush=True)


# unit: cmocka programs under ctest, with sanitizers and without.
def unit(limit_s, options):
    total = Count()
    for preset in ("ci", "dev"):
        broken = build(preset)
        total.add(failure(broken) if broken else ctest(preset, limit_s, options))
    return total


def ctest(preset, limit_s, options, programs=None):
    """All unit programs of a preset, those that -k names, or the given ones."""
    report = RUN / f"unit-{preset}.xml"
    report.unlink(missing_ok=True)
    choice = ["-R", f"^({'|'.join(programs)})$"] if programs else \
        ["-R", options.k] if options.k else []
    run(["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "--output-junit", report,
         "--parallel", 2, "--timeout", 300, "--no-tests=error",
         "--test-output-size-passed", 2**20, "--test-output-size-failed", 2**20, *choice], limit_s, env={**os.environ, **SANITIZERS})
    if not report.exists():
        return failure(f"ctest of preset {preset} gave no report")
    total = Count()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        total.add(cmocka(case, preset))
    return total if total.passed or total.failed else failure(f"no unit test in preset {preset}")


def cmocka(case, preset):
    """The tests inside one program, by cmocka's own closing lines."""
    text = case.findtext("system-out") or ""

    def told(word):
        return sum(int(n) for n in re.findall(rf"^\[  {word} +\] (\d+) test\(s\)", text, re.M))

    count = Count(told("PASSED"), told("FAILED"), told("SKIPPED"))
    if case.get("status") != "run":  # it crashed, hung, or a sanitizer spoke
        count.failed = max(1, count.failed)
        count.notes.append(f"FAILED unit {case.get('name')} (preset {preset})")
    elif count.passed == 0:
        count.passed = 1
    return count


# The others: pytest, on stacks of their own below .run/test-<suite>.
def pytest(suite, preset, limit_s, options, folder=None, more=None):
    """more: variables that only these tests get."""
    folder = ROOT / "tests" / (folder or suite)
    if not list(folder.glob("**/test_*.py")):
        return skip(f"{suite}: there are no tests in tests/{suite}")
    broken = build(preset) if preset else None
    if broken:
        return failure(broken)
    report, stacks = RUN / f"{suite}.xml", RUN / f"test-{suite}"
    report.unlink(missing_ok=True)
    clear(stacks)
    env = {**os.environ, **SANITIZERS, "CARDFLOW_TEST_RUN": str(stacks),
           "CARDFLOW_TEST_BUILD": str(ROOT / "build" / (preset or "dev")),
           "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}
    choice = ["-k", options.k] if options.k else []
    try:
        code = run([sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "--rootdir=tests",
                    f"--junitxml={report}", "-q", *choice, folder], limit_s, env=env)
    finally:
        stop_left_overs(stacks)
    return pytest_count(suite, report, code)


def pytest_count(suite, report, code):
    if not report.exists():
        return failure(f"{suite}: pytest ended with {code} and gave no report")
    total = Count()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        wrong = case.find("failure")
        wrong = case.find("error") if wrong is None else wrong
        if wrong is not None:
            total.add(failure(f"{name}: {' '.join((wrong.get('message') or '').split())[:300]}"))
        elif (skipped := case.find("skipped")) is not None:
            total.add(skip(f"{name}: {skipped.get('message')}"))
        else:
            total.passed += 1
    if code == 5:
        return skip(f"{suite}: no test was chosen")
    if code and not total.failed:
        total.add(failure(f"{suite}: pytest ended with {code}"))
    return total


def clear(stacks):
    stop_left_overs(stacks)
    shutil.rmtree(stacks, ignore_errors=True)


def stop_left_overs(stacks):
    """What an interrupted run has left running."""
    for state in stacks.glob("*/state.json"):
        Stack(state.parent).down()


def compose(limit_s, options):
    if not shutil.which("docker") or subprocess.run(
            ["docker", "info"], capture_output=True, check=False, timeout=60).returncode:
        return skip("compose: docker does not run here")
    return pytest("compose", None, limit_s, options)


# sim: the simulation under fixed seeds, each of which ends with 0 or tells what was broken.
SEQUENCES = 10000


def sim(limit_s, options):
    end = time.monotonic() + limit_s
    broken = build("ci") or build("dev")
    if broken:
        return failure(broken)
    seeds = [line.split("#")[0].split() for line in
             (ROOT / "tests/sim/seeds.txt").read_text("utf-8").splitlines()]
    runs = [("dev", seed, options.steps or steps, switches)
            for seed, steps, *switches in filter(None, seeds)]
    runs += [("ci", seed, 20000, switches) for seed in (1, 2) for switches in ([], ["--restore"])]
    total = Count()
    for preset, seed, steps, switches in runs:
        code, said = simulate(preset, seed, steps, end, *switches)
        total.add(failure(f"sim --seed {seed} --steps {steps} {' '.join(switches)} "
                          f"(preset {preset}): {said}")
                  if code else Count(passed=1))
    traces = {simulate(preset, 3, 20000, end)[1].rpartition("trace ")[2]
              for preset in ("dev", "dev", "ci")}
    total.add(Count(passed=1) if len(traces) == 1 else
              failure(f"sim --seed 3 --steps 20000: not always the same: {sorted(traces)}"))
    for preset, sequences in (("dev", SEQUENCES), ("ci", 500)):
        program = ROOT / "build" / preset / "tests/city"
        total.add(city(f"property ({preset})", end, program / "property", "--sequences", sequences))
        total.add(city(f"year ({preset})", end, "tests/city/year.py", program / "year"))
    return total


def simulate(preset, seed, steps, end, *switches):
    """How the program ends, and its words."""
    log = RUN / "sim.log"
    with open(log, "w", encoding="utf-8") as out:
        code = run([ROOT / "build" / preset / "tests/sim/sim", "--seed", seed, "--steps", steps,
                    *switches],
                   end - time.monotonic(), stdout=out, stderr=out, env={**os.environ, **SANITIZERS})
    lines = [line for line in log.read_text("utf-8", "replace").splitlines()
             if line.startswith(("seed", "sim: seed"))]
    return code, (lines or [f"ended with {code}, see {log}"])[0]


# Random sequences of operations, and a year: programs of tests/city. What broke is all they say.
def city(what, end, *words):
    log = RUN / "city.log"
    with open(log, "w", encoding="utf-8") as out:
        code = run(words, end - time.monotonic(), stdout=out, stderr=out,
                   env={**os.environ, **SANITIZERS})
    said = log.read_text("utf-8", "replace").splitlines()[-40:]
    return failure("\n  ".join([f"{what}:", *said])) if code else Count(passed=1)


# fuzz: every target of libFuzzer for a moment, from its corpus on.
def fuzz(limit_s, options):
    if run(["ops/lib/setup", "fuzz"], 600):
        return failure("fuzz: the compiler could not be installed")
    broken = build("fuzz", "tests/fuzz/all")
    if broken:
        return failure(broken)
    targets = sorted(target for target in (ROOT / "build/fuzz/fuzz").glob("fuzz_*")
                     if re.search(options.k or "", target.name))
    total = Count() if targets else failure("fuzz: there is no target")
    end = time.monotonic() + max(limit_s, len(targets) * (options.seconds + 5))
    for target in targets:
        if time.monotonic() > end:
            raise OutOfTime(f"not all targets ran within {limit_s:.0f} s")
        total.add(fuzz_one(target, options.seconds))
    return total


def fuzz_one(target, seconds):
    """One target; new inputs go to .run/fuzz/<target>/, what breaks something to .run/fuzz/found/."""
    name = target.name.removeprefix("fuzz_")
    work, found = RUN / "fuzz" / name, RUN / "fuzz" / "found"
    seeds = [folder for folder in (ROOT / "tests/fuzz/corpus" / name,
                                   ROOT / "tests/fuzz/found" / name) if folder.is_dir()]
    for folder in (work, found):
        folder.mkdir(parents=True, exist_ok=True)
    words = ROOT / "tests/fuzz/words" / name
    log = RUN / "fuzz" / f"{name}.log"
    with open(log, "w", encoding="utf-8") as out:
        code = run([target, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3000",
                    "-max_len=8192", f"-artifact_prefix={found}/{name}-",
                    *([f"-dict={words}"] if words.exists() else []), work, *seeds],
                   seconds + 120, stdout=out, stderr=out, env={**os.environ, **SANITIZERS})
    if code == 0:
        return Count(passed=1)
    print("\n".join(log.read_text("utf-8", "replace").splitlines()[-40:]), flush=True)
    return failure(f"fuzz {name}: an input that breaks it is in {found}")


# coverage: the unit tests and the corpus once more, counted; no file may be below its goal.
def coverage(limit_s, options):
    broken = build("cov", "tests/all", "states", "cardctl")
    if broken:
        return failure(broken)
    for data in (ROOT / "build/cov").rglob("*.gcda"):
        data.unlink()
    count = ctest("cov", limit_s, options)
    if run([sys.executable, "ops/lib/coverage.py"], 120):
        count.add(failure("coverage: a file is below its goal, or there are no figures"))
    return count


# tsan, valgrind: the unit programs with threads, and the services at work, each watched.
def unit_programs(options, *names):
    """Names of the unit programs that fit names, as glob patterns, and -k."""
    found = sorted({f"{path.parent.name}_{path.stem}".replace("-", "_") for name in names
                    for path in (ROOT / "tests/unit").glob(name)})
    return [name for name in found if re.search(options.k or "", name)]


def tsan(limit_s, options):
    end = time.monotonic() + limit_s
    every = argparse.Namespace(k=None)
    broken = build("tsan", "services/all", "ops/all",
                   *unit_programs(every, "io/test_*.c", "stage/test_*.c"))
    if broken:
        return failure(broken)
    programs = unit_programs(options, "io/test_*.c", "stage/test_*.c")
    total = ctest("tsan", limit_s, options, programs) if programs else Count()
    total.add(watched("tsan", "tsan", end - time.monotonic(), options, {}))
    return total


# Those that hold the most memory of their own, or are handed the most by a library.
VALGRIND_UNITS = ("io/test_http_*.c", "io/test_kafka_front.c", "io/test_loop.c", "io/test_pg_front.c",
                  "io/test_redis.c", "io/test_request.c", "io/test_resolve.c", "io/test_seal.c",
                  "io/test_work.c", "stage/test_log_kafka.c", "stage/test_shards.c")


def valgrind(limit_s, options):
    end = time.monotonic() + limit_s
    if run(["ops/lib/setup", "valgrind"], 600):
        return failure("valgrind: it could not be installed")
    broken = build("dev")
    if broken:
        return failure(broken)
    total = Count()
    for program in unit_programs(options, *VALGRIND_UNITS):
        total.add(valgrind_one(program, end - time.monotonic()))
    total.add(watched("valgrind", "dev", end - time.monotonic(), options,
                      {"CARDFLOW_TEST_UNDER": " ".join(VALGRIND)}))
    return total


def valgrind_one(program, limit_s):
    """The tests in a unit program, none of which counts when something was found."""
    log = RUN / "valgrind.log"
    with open(log, "w", encoding="utf-8") as out:
        code = run([*VALGRIND, ROOT / "build/dev/tests" / program], limit_s, stdout=out, stderr=out)
    text = log.read_text("utf-8", "replace")
    passed = sum(map(int, re.findall(r"^\[  PASSED +\] (\d+) test\(s\)", text, re.M)))
    if code == 0 and passed:
        return Count(passed=passed)
    print("\n".join(text.splitlines()[-60:]), flush=True)
    return failure(f"valgrind {program}: it ended with {code}")


def watched(watch, preset, limit_s, options, more):
    return pytest(watch, preset, limit_s, options, "watched",
                  {"CARDFLOW_TEST_WATCH": watch, **more})


SUITES = {
    "harness": (300, lambda limit, options: pytest("harness", None, limit, options)),
    "unit": (1200, unit),
    "sim": (900, sim),
    "contract": (300, lambda limit, options: pytest("contract", "dev", limit, options)),
    "e2e": (1800, lambda limit, options: pytest("e2e", "ci", limit, options)),
    "size": (600, lambda limit, options: pytest("size", "dev", limit, options)),
    "faults": (1500, lambda limit, options: pytest("faults", "dev", limit, options)),
    "fuzz": (400, fuzz),
    "compose": (600, compose),
}

# Only when they are named.
MORE = {"coverage": (900, coverage), "tsan": (900, tsan), "valgrind": (900, valgrind)}


# Long runs: commands of their own, never part of the suites.
def long_run(argv):
    import chaos  # needs what the virtual environment holds

    broken = build("dev")
    if broken:
        sys.exit(f"error: {broken}")
    os.environ["CARDFLOW_TEST_RUN"] = str(RUN / "test-faults")
    os.environ.update(SANITIZERS)
    try:
        return chaos.main(argv, ROOT / "build" / "dev")
    finally:
        stop_left_overs(RUN / "test-faults")


def only_one():
    """A lock that is held until the end of the process."""
    lock = open(RUN / "test.lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("error: another ops/test runs in this checkout")
    return lock


def main():
    if sys.argv[1:2] in (["chaos"], ["soak"]):
        interruptible()
        lock = only_one()
        with lock:
            return long_run(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="ops/test", description=__doc__, epilog=(
        "ops/test chaos and ops/test soak are long runs apart from these; see their --help"))
    parser.add_argument("suites", nargs="*", metavar="SUITE",
                        help=f"all, or some of: {', '.join(SUITES)}; or {', '.join(MORE)}")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests whose name fits")
    parser.add_argument("--steps", type=int, metavar="N",
                        help="steps of each seed of the simulation, instead of those of its list")
    parser.add_argument("--seconds", metavar="N", type=int, default=2,
                        help="how long the suite fuzz runs each of its targets")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES) - set(MORE)
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are: {', '.join(SUITES)}")
    interruptible()
    lock = only_one()
    end = time.monotonic() + TOTAL_S
    total, lines = Count(), []
    for name in options.suites or SUITES:
        limit_s, suite = (SUITES | MORE)[name]
        left = min(limit_s, end - time.monotonic())
        say(f"== {name}")
        begin = time.monotonic()
        try:
            count = suite(left, options) if left > 0 else failure(f"{name}: no time was left")
        except OutOfTime as late:
            count = failure(f"{name}: {late}")
        lines.append(f"{name:9} {count} ({time.monotonic() - begin:.0f} s)")
        total.add(count)
    print("\n".join(["", *total.notes, *lines, str(total)]), flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
