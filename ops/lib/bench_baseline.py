"""What PostgreSQL alone takes for the rows a run has written: the same tables (copies), as many
inserts and updates of the same rows, in as many transactions, on two connections, no network
worth speaking of and no other program running beside it but the idle stack."""

import threading
import time

import psycopg

STAGES = ("intake", "photo_fetch", "production", "notification", "complaint_handling", "inquiry")
NAMES = {name: name.replace("_", "-") for name in STAGES}
# Bookkeeping rows that every transaction updates; counted through the transactions themselves.
SKIPPED = {"member", "schema_migration", "migration"}

PROCEDURE = """
create or replace procedure baseline.work(plan text[], sizes int[], kinds text[], batches int)
language plpgsql as $$
declare b int; i int;
begin
    for b in 0 .. batches - 1 loop
        for i in 1 .. cardinality(plan) loop
            if sizes[i] > 0 then
                execute plan[i] using b * sizes[i] + 1, (b + 1) * sizes[i];
            end if;
        end loop;
        commit;
    end loop;
end $$
"""


def statistics(connection):
    connection.execute("select pg_stat_clear_snapshot()")
    rows = connection.execute(
        "select schemaname, relname, n_tup_ins, n_tup_upd from pg_stat_user_tables "
        "where schemaname = any(%s)", (list(STAGES),)).fetchall()
    return {(schema, table): (inserted, updated) for schema, table, inserted, updated in rows}


def snapshot(stack):
    time.sleep(1.5)  # backends report their counters at most once a second
    with psycopg.connect(stack.info()["postgres_admin"], autocommit=True) as connection:
        return statistics(connection)


def columns(connection, schema, table):
    return [row[0] for row in connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped order by attnum", (f"{schema}.{table}",))]


def key_columns(connection, schema, table):
    return [row[0] for row in connection.execute(
        "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid "
        "and a.attnum = any(i.indkey) where i.indrelid = %s::regclass and i.indisprimary",
        (f"{schema}.{table}",))]


def prepare(connection, schema, table, inserts):
    """A copy of the table, empty, and its rows with numbers to take them by."""
    name = f"{schema}__{table}"
    connection.execute(f"create table baseline.{name} (like {schema}.{table} including all)")
    connection.execute(f"create table baseline.{name}_rows as select row_number() over () as rn, "
                       f"t.* from {schema}.{table} t")
    connection.execute(f"create index on baseline.{name}_rows (rn)")
    connection.execute(f"analyze baseline.{name}_rows")
    listed = ", ".join(columns(connection, schema, table))
    insert = (f"insert into baseline.{name} ({listed}) select {listed} from baseline.{name}_rows "
              f"where rn between $1 and $2 on conflict do nothing")
    keys = key_columns(connection, schema, table)
    have = connection.execute(f"select count(*) from baseline.{name}_rows").fetchone()[0]
    if inserts == 0 and have:  # only updates in the run: the rows are there before it
        connection.execute(f"insert into baseline.{name} ({listed}) select {listed} "
                           f"from baseline.{name}_rows")
    if not keys or not have:
        return insert, None
    others = [c for c in columns(connection, schema, table) if c not in keys]
    sets = ", ".join(f"{c} = s.{c}" for c in others)
    match = " and ".join(f"t.{c} = s.{c}" for c in keys)
    update = (f"update baseline.{name} t set {sets} from baseline.{name}_rows s "
              f"where {match} and s.rn between 1 + ($1 - 1) % {have} and "
              f"1 + ($1 - 1) % {have} + ($2 - $1)") if others else None
    return insert, update


def plan(connection, schema, tables, now, batches):
    statements, sizes = [], []
    for (owner, table), (inserted, updated) in sorted(now.items()):
        if owner != schema or table in SKIPPED or table.startswith("journal_20"):
            continue
        before = tables.get((owner, table), (0, 0))
        inserts, updates = inserted - before[0], updated - before[1]
        if inserts + updates <= 0:
            continue
        insert, update = prepare(connection, schema, table, inserts)
        for statement, count in ((insert, inserts), (update, updates)):
            if statement and count:
                statements.append(statement)
                sizes.append(max(1, round(count / batches)))
    return statements, sizes


def run(stack, tables, before, after, n, say):
    """Applications a second that PostgreSQL alone would take."""
    dsn = stack.info()["postgres_admin"]
    work = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        time.sleep(1.5)
        now = statistics(connection)
        connection.execute("drop schema if exists baseline cascade")
        connection.execute("create schema baseline")
        connection.execute(PROCEDURE)
        for schema in STAGES:
            name = NAMES[schema]
            batches = int(after[name]["cardflow_stage_batches_total"] -
                          before[name]["cardflow_stage_batches_total"])
            if batches > 0:
                work.append((schema, *plan(connection, schema, tables, now, batches), batches))
        connection.execute("checkpoint")
    # Two connections, the heavier half of the services on each.
    work.sort(key=lambda w: -sum(w[2]) * w[3])
    halves = ([], [])
    loads = [0, 0]
    for item in work:
        half = loads.index(min(loads))
        halves[half].append(item)
        loads[half] += sum(item[2]) * item[3]
    errors = []

    def one(items):
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("set enable_seqscan = off")
                for _, statements, sizes, batches in items:
                    connection.execute("call baseline.work(%s, %s, %s, %s)",
                                       (statements, sizes, [], batches))
        except psycopg.Error as error:
            errors.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=one, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    if errors:
        raise errors[0]
    say(f"PostgreSQL alone took {took:.1f} s")
    return n / took
