#!/bin/sh
# links_no_io.sh LIBRARY: fails when a library of rules needs anything that reads or writes the world,
# tells the time, or draws at random.
set -eu
wants=$(nm -u "$1" | awk '$1 == "U" {print $2}' | sort -u)
[ -n "$wants" ] || { echo "$1: nm shows nothing; is it a library?"; exit 1; }
found=$(echo "$wants" | grep -E '^(PQ|rd_kafka|redis|event_|evhttp|evbuffer|bufferevent|EVP_|RAND_|json_|pthread_create|socket|connect|accept|send|recv|open|openat|fopen|fread|fwrite|fputs|printf|puts|read|write|pread|pwrite|time|clock|clock_gettime|gettimeofday|getenv|rand|random|getrandom|cf_now_ms|cf_mono_ms|cf_random|cf_uuid4|cf_log|cf_send|cf_work)($|_|@|[A-Z(])' || true)
[ -z "$found" ] || { echo "$1 needs: $found"; exit 1; }
