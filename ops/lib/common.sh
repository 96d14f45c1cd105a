# shellcheck shell=bash
# Shared by the commands of ops/; to be sourced.

say() { printf '%s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Debian's own Python, whatever else is in the path: its packages are the ones setup installs.
python() {
    if [ -x /usr/bin/python3 ]; then
        echo /usr/bin/python3
    else
        command -v python3 || die "python3 is not there"
    fi
}

# Configures a CMake preset and builds the programs, not the tests; prints only when there is
# something to see.
build_preset() {
    local root=$1 preset=$2 log=$1/.run/build-$2.log
    mkdir -p "$root/.run"
    say "building preset $preset"
    (cd "$root" && cmake --preset "$preset" > "$log" 2>&1 \
        && cmake --build "build/$preset" --target services/all ops/all >> "$log" 2>&1) \
        || { tail -n 40 "$log" >&2; die "the build of preset $preset failed, see $log"; }
}

# The Python that has the packages of requirements.txt; for --help any will do.
venv_or_python() {
    if [ -x "$1/.run/venv/bin/python" ]; then
        echo "$1/.run/venv/bin/python"
    else
        python
    fi
}
