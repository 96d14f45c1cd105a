#!/bin/sh
# docs_states.sh PROGRAM SOURCE: fails when docs/states.md is not what the services' tables say.
set -eu
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$1" "$2/tests/data/states.csv" >"$made"
diff -u "$2/docs/states.md" "$made" || {
    echo "docs/states.md differs; write it: build/dev/bin/states tests/data/states.csv > docs/states.md"
    exit 1
}
