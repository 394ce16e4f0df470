# What the scripts of every peer begin with: folders, ports, secrets, databases, and processes that are stopped by id.
# Sourced, with the name of the peer as the argument; `set -euo pipefail` is the caller's.
# shellcheck shell=bash

PEERS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPOSITORY=$(cd "$PEERS/../.." && pwd)
PEERS_HOME=$(realpath -m "${PEERS_HOME:-$REPOSITORY/target/peers}")
PEER=$1
# What belongs to this peer: programs, settings, log, process id.
FOLDER=$PEERS_HOME/$PEER
mkdir -p "$FOLDER"

# Every peer has ports of its own, so all of them can run at once.
PORTS=${PEERS_PORTS:-18100}
# shellcheck disable=SC2034 # the scripts of the peers use them
{
    POSTGRES_PORT=$PORTS
    DJANGO_PORT=$((PORTS + 1))
    KRATOS_PORT=$((PORTS + 2))
    KRATOS_ADMIN_PORT=$((PORTS + 3))
    SUPABASE_PORT=$((PORTS + 4))
    KEYCLOAK_PORT=$((PORTS + 5))
    KEYCLOAK_MANAGEMENT_PORT=$((PORTS + 6))
}

# One account for each caller of the load.
PEOPLE=${PEERS_CALLERS:-32}

# Argon2id, for every peer that has it. These are the defaults of Countersign.
# shellcheck disable=SC2034 # the scripts of the peers use them
ARGON2_MEMORY_KIB=19456 ARGON2_ITERATIONS=2 ARGON2_PARALLELISM=1

fail() {
    echo "$PEER: $*" >&2
    exit 1
}

# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null || fail "$1 is not installed; it comes with $2"
}

# A secret that exists nowhere else. The file keeps it, so that a second script reads the same one.
secret() {
    local file=$PEERS_HOME/secrets/$1
    if [[ ! -s $file ]]; then
        (umask 077 && mkdir -p "$PEERS_HOME/secrets" && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file")
    fi
    cat "$file"
}

# What the driver fills into the calls of this peer: NAME=VALUE each. The password is the same for all people.
write_values() {
    (umask 077 && printf '%s\n' "password=$(secret password)" "$@" >"$FOLDER/values")
}

port_is_free() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        fail "port $1 is in use; choose others with PEERS_PORTS=<first of seven ports>"
    fi
}

# The moment a process started, in clock ticks since boot. An id may come again, the pair does not. The name in the
# second field may have spaces, so it is cut off first.
started_at() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    awk '{ print $20 }' <<<"${stat##*) }"
}

# The id of the running process of this peer, or nothing.
running() {
    local id at
    [[ -s $FOLDER/process ]] || return 1
    read -r id at <"$FOLDER/process"
    [[ $(started_at "$id") == "$at" ]] || return 1
    echo "$id"
}

# start COMMAND…: in the background, as the leader of a process group of its own, so that its children end with it.
# If the script that calls this fails later, the process ends too.
start() {
    if running >/dev/null; then fail "runs already; stop it with $PEER/down"; fi
    trap '(($? == 0)) || stop' EXIT
    # shellcheck disable=SC2016 # the new shell expands it
    setsid --fork bash -c 'echo "$$ $(awk "{ sub(/.*\) /, \"\"); print \$20 }" /proc/$$/stat)" >"$0"; exec "$@"' \
        "$FOLDER/process" "$@" </dev/null >"$FOLDER/log" 2>&1
    local waits=50
    until running >/dev/null || ((waits-- == 0)); do sleep 0.1; done
}

# Ends the process group that `start` began, and nothing else.
stop() {
    local id waits=100
    if ! id=$(running); then
        rm -f "$FOLDER/process"
        return
    fi
    kill -TERM -- "-$id" 2>/dev/null || true
    while kill -0 -- "-$id" 2>/dev/null; do
        ((waits-- > 0)) || kill -KILL -- "-$id" 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$FOLDER/process"
}

# await URL SECONDS: until the peer answers there with success.
await() {
    need curl "curl (Debian: curl)"
    local end=$((SECONDS + $2))
    until curl --silent --fail --max-time 5 --output /dev/null "$1"; do
        if ! running >/dev/null || ((SECONDS >= end)); then
            tail -n 20 "$FOLDER/log" >&2
            fail "did not answer at $1; the end of $FOLDER/log is above"
        fi
        sleep 0.3
    done
}

postgresql_bin() {
    local initdb
    initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort --version-sort | tail -n 1)
    [[ -x $initdb ]] || initdb=$(command -v initdb) || fail "PostgreSQL is not installed (Debian: postgresql)"
    dirname "$(realpath "$initdb")"
}

# run_sql DATABASE STATEMENT
run_sql() {
    PGPASSWORD=$(secret postgres) PGOPTIONS="-c client_min_messages=warning" PGCONNECT_TIMEOUT=10 timeout 60 \
        "$(postgresql_bin)/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
        --host 127.0.0.1 --port "$POSTGRES_PORT" --username peers --dbname "$1" --command "$2"
}

# An empty database with this name. A peer begins without rows of an earlier run.
empty_database() {
    run_sql postgres "DROP DATABASE IF EXISTS $1 WITH (FORCE)" ||
        fail "PostgreSQL does not answer; start it with postgres/up"
    run_sql postgres "CREATE DATABASE $1"
}

database_url() {
    echo "postgres://peers:$(secret postgres)@127.0.0.1:$POSTGRES_PORT/$1?sslmode=disable"
}

# for_each_person COMMAND…: once for each account, with its number as the last argument.
for_each_person() {
    local number
    for ((number = 0; number < PEOPLE; number++)); do "$@" "$number"; done
}
