"""What tests/faults/mutations takes out, one at a time: each defence of docs/faults.md that is a
piece of this code, the smallest edit that removes it, and the cheapest test that must notice.

A test is a unit program and the names of its tests ("stage_test_stage NAME", or the program alone
where it takes no name), "sim" and its arguments, or "faults" and what pytest's -k takes."""

import dataclasses

STAGE = "common/io/stage/"


@dataclasses.dataclass
class Mutation:
    what: str
    path: str
    text: str     # stands there exactly `times`
    instead: str
    test: str
    times: int = 1

    @property
    def kind(self):
        word = self.test.split()[0]
        return word if word in ("sim", "faults") else "unit"


CRASH = "stage_test_stage a_process_killed_anywhere_loses_and_doubles_nothing"
UNKNOWN = "stage_test_stage a_commit_of_unknown_outcome_is_looked_up"
TWICE = "stage_test_stage a_commit_made_twice_is_fenced_by_its_offsets"
REFUSED = "stage_test_stage a_database_that_cannot_write_is_waited_for"
BAD = "stage_test_stage bad_records_go_to_the_dead_letters_and_the_rest_goes_on"

MUTATIONS = (
    # One transaction a batch; the journal is published before anything new.
    Mutation("journal in the transaction", STAGE + "store_commit.c",
             "if (!e && c->n_journal) e = add_journal(s, c);",
             "if (!e && c->n_journal > 256) e = add_journal(s, c);", CRASH),
    Mutation("republish on assignment", STAGE + "shard.c",
             "        if (m.no <= r->seen[slot(r, part, (size_t)out, m.target)]) continue;",
             "        if (m.no >= 0) continue;", CRASH),
    Mutation("republish only what the log has not", STAGE + "admit.c",
             "    if (r->cf_no <= *last) return REPEATED;",
             "    if (r->cf_no <= *last) return FRESH;",
             "stage_test_stage a_number_seen_before_is_dropped_and_a_missing_one_stops_the_shard"),
    Mutation("a missing number stops the shard", STAGE + "admit.c",
             "    if (r->cf_no > *last + 1) return GAP;",
             "    if (r->cf_no > *last + 1) *last = r->cf_no;",
             "stage_test_stage a_number_seen_before_is_dropped_and_a_missing_one_stops_the_shard"),
    Mutation("command-id check", STAGE + "effects.c",
             "bool cf_ids_known(struct cf_str ids, const uint8_t id[16])\n{\n",
             "bool cf_ids_known(struct cf_str ids, const uint8_t id[16])\n{\n"
             "    if (ids.len || id) return false;\n",
             "stage_test_stage every_command_is_applied_and_reported_once"),
    Mutation("a row waits for all its messages", STAGE + "publish.c",
             "    if (p->left) p->left--;\n", "    p->left = 0;\n",
             "stage_test_shards a_row_is_acknowledged_when_all_its_messages_are"),
    # Shards are given up in order.
    Mutation("a stop gives the shards up", STAGE + "loop.c",
             "    if (!atomic_load(&st->fatal)) shards_give_all(st);\n",
             "    if (atomic_load(&st->fatal)) shards_give_all(st);\n",
             "stage_test_stage every_command_is_applied_and_reported_once"),
    Mutation("a stop waits for first messages", STAGE + "publish.c",
             "    if (!st->stop_until) st->stop_until = stage_mono_ms() + STOP_WAIT_MS;\n"
             "    return stage_mono_ms() >= st->stop_until;\n", "    return true;\n",
             "stage_test_stage a_stop_sends_what_is_committed_though_acknowledgements_are_slow"),
    Mutation("a stop waits for acknowledgements", STAGE + "shard.c",
             "    int e = settle(st, STOP_WAIT_MS);\n", "    int e = settle(st, 0);\n",
             "stage_test_stage a_stop_sends_what_is_committed_though_acknowledgements_are_slow"),
    Mutation("a stop does not wait for ever", STAGE + "publish.c",
             "    return stage_mono_ms() >= st->stop_until;\n", "    return false;\n",
             "stage_test_stage a_stop_does_not_wait_for_a_log_that_is_away"),
    # Epoch and position in the guard of each transaction.
    Mutation("epoch guard", STAGE + "sql/guard_shard.sql",
             "where s.part = v.part and s.epoch = v.epoch and s.owner = $1",
             "where s.part = v.part and $1::uuid is not null", TWICE),
    Mutation("offset guard", STAGE + "sql/guard_cursor.sql",
             "c.topic = v.topic and c.last_offset = v.old_offset", "c.topic = v.topic", TWICE),
    Mutation("guard of acknowledgements alone", STAGE + "sql/guard_shard.sql",
             "      and (v.saves = 0 or (s.last_now = v.last_now and "
             "s.journal_seq = v.journal_seq))\n", "      and v.saves >= 0\n",
             "stage_test_stage acknowledgements_are_not_saved_into_a_store_that_went_back"),
    Mutation("ownership is looked at when idle", STAGE + "shard.c",
             "    if (!e) e = let_go_lost(st, &gone);\n    bool changed",
             "    bool changed", "stage_test_shards an_idle_owner_learns_that_it_was_replaced"),
    Mutation("held until given", STAGE + "shard.c",
             "    for (size_t i = 0; i < n && !e; i++)\n"
             "        let_go(st, &st->shards[parts[i]]);\n    return e;\n}\n\n/* PostgreSQL may",
             "    for (size_t i = 0; i < n; i++)\n"
             "        let_go(st, &st->shards[parts[i]]);\n    return e;\n}\n\n/* PostgreSQL may",
             "stage_test_shards a_failed_hand_over_leaves_the_shards_held"),
    Mutation("unheld shards given up", STAGE + "shard.c",
             "    } else if (st->unsure) {", "    } else if (st->unsure && !st->owned) {",
             "stage_test_shards shards_that_were_taken_in_vain_are_given_up"),
    # PostgreSQL away: the same batch again; what cannot write now is no fault of the record.
    Mutation("the same batch again", STAGE + "batch.c",
             "        if (atomic_load(&st->stop)) return e;\n        stage_pause(st, wait);\n",
             "        if (cf_error_class(e) == CF_RETRY || atomic_load(&st->stop)) return e;\n"
             "        stage_pause(st, wait);\n",
             "stage_test_stage postgres_killed_in_the_middle_loses_and_doubles_nothing"),
    Mutation("unknown is not committed", STAGE + "batch.c",
             "            e = resolve(&b, &committed);\n",
             "            e = resolve(&b, &committed);\n            committed = true;\n", UNKNOWN),
    Mutation("outcome asked under lock and epoch", STAGE + "sql/cursor_verdict.sql",
             " and s.owner = $3 and s.epoch = $4\n",
             " and $3::uuid is not null and $4::bigint > 0\n", TWICE),
    Mutation("new epoch after an unknown commit", STAGE + "batch.c",
             "                shards_doubt(st, &b.commit);\n", "",
             "stage_test_shards a_commit_of_unknown_outcome_lets_go_of_its_shard"),
    Mutation("a full disk is tried again", STAGE + "pipe.c", '!strncmp(s, "53", 2) || ', "",
             REFUSED),
    Mutation("read-only is tried again", STAGE + "pipe.c", '!strncmp(s, "25", 2) || ', "",
             REFUSED),
    Mutation("an ended session is opened again", STAGE + "pipe.c",
             "    cf_pipe_close(p);\n    p->broken = false;\n",
             "    if (p->broken) return CF_E_DB;\n",
             "stage_test_stage postgres_killed_in_the_middle_loses_and_doubles_nothing"),
    # Kafka.
    Mutation("messages wait without a time limit", STAGE + "log_kafka.c",
             '{"message.timeout.ms", "0"},', '{"message.timeout.ms", "1000"},',
             "stage_test_log_kafka what_is_sent_waits_for_a_broker_that_is_away"),
    Mutation("the first message goes alone", STAGE + "log_kafka.c",
             "        if (alone) *opened = OPENED_ASKED;\n",
             "        if (alone && !k) *opened = OPENED_ASKED;\n",
             "stage_test_log_kafka the_first_message_to_a_partition_goes_alone"),
    Mutation("a lost producer ends the stage", STAGE + "log_kafka.c",
             "        k->lost = CF_E_BROKER;\n", "",
             "stage_test_log_kafka "
             "a_producer_that_may_not_go_on_is_told_with_the_acknowledgements", times=2),
    Mutation("all copies acknowledge", STAGE + "log_kafka.c",
             '        {"enable.idempotence", "true"},\n'
             '        {"enable.gapless.guarantee", "true"},\n'
             '        {"acks", "all"},\n', '        {"acks", "1"},\n',
             "faults a_leader_dies_with_records"),
    Mutation("the last record applied is the same", STAGE + "log_kafka.c",
             "r->offset == e->last && cf_record_hash(r) == e->hash", "r->offset >= e->last",
             "stage_test_log_kafka a_log_that_holds_another_record_is_noticed"),
    Mutation("a position the log does not hold", STAGE + "log_kafka.c",
             "        return CF_E_GAP;\n    }\n    return assign_entries(k, scanning);\n",
             "        e->last = low - 1;\n        e->verify = false;\n    }\n"
             "    return assign_entries(k, scanning);\n",
             "stage_test_log_kafka a_position_beyond_the_log_is_noticed"),
    Mutation("a shard stops alone", STAGE + "loop.c",
             "    if (part < 0 || part >= st->conf.partitions || !st->shards[part].owned) "
             "return CF_E_GAP;\n", "    if (part < (1 << 30)) return CF_E_GAP;\n",
             "stage_test_shards a_shard_whose_records_are_lost_stops_alone"),
    Mutation("lost commits are looked for", STAGE + "shard.c",
             "    if (!e && r->lost) {\n        stage_fail",
             "    if (e && r->lost) {\n        stage_fail",
             "sim --restore --seed 1 --steps 100000"),
    # Bad records.
    Mutation("what is no message is a dead letter", STAGE + "admit.c",
             "        batch_dead_letter(b, r, reason);\n", "        (void)reason;\n", BAD),
    Mutation("an unknown type is refused", STAGE + "admit.c",
             '        if (topic->open) refuse(b, r, only, CF_E_DECODE, "ce_type: unknown");\n', "",
             BAD),
    Mutation("the culprit alone is parked", STAGE + "batch.c",
             "t->force_park || t->redrive ? CF_E_SQL : one_by_one(st, t)", "CF_E_SQL", BAD),
    Mutation("a key waits behind what is parked", STAGE + "admit.c",
             "        if (p->topic == r->topic && cf_str_eq(cf_key_str(&p->key), r->key)) "
             "return true;\n    for (size_t", "        if (p->topic > 99) return true;\n"
             "    for (size_t",
             "stage_test_stage a_message_behind_a_parked_one_of_its_key_waits"),
    Mutation("size of a dead letter", STAGE + "admit.c",
             "    return r->key.len + r->value.len <= DEAD_LETTER_MAX;\n",
             "    return r->key.len + r->value.len > 0;\n",
             "stage_test_stage a_record_too_long_for_a_dead_letter_is_parked"),
    Mutation("size of a message read", STAGE + "admit.c",
             "r->value.len > MESSAGE_MAX ? CF_E_TOO_LARGE : ", "",
             "stage_test_admit"),
    Mutation("a record in another's partition", "services/intake/codec.c",
             "    if ((int32_t)cf_key_partition(key, (uint32_t)d->partitions) == rec->part) "
             "return 0;\n", "    if (key && d->partitions > rec->part) return 0;\n",
             "intake_test_codec"),
    # Redis.
    Mutation("without Redis PostgreSQL answers", "services/inquiry/cache.c",
             "!cf_redis_document(value, &found.version, &found.payload)) {\n"
             "        ask_store(q);\n",
             "!cf_redis_document(value, &found.version, &found.payload)) {\n"
             "        q->fn(q->arg, CF_E_NET, NULL);\n", "faults redis_is_flushed"),
    Mutation("a Redis that stands still is given up", "common/io/redis_front.c",
             "    if (r->first == b) watch(r);\n", "", "io_test_redis"),
    # Partners.
    Mutation("bank of an answer", "services/production/rules_answers.c",
             "    if (r->bank.len && !cf_str_eq(r->bank, app->bank)) return PRODUCTION_ILLEGAL;\n",
             "", "production_test_paths"),
    Mutation("card of an answer", "services/production/rules_answers.c",
             "    if (r->card_no.len && !cf_str_is(r->card_no, slot->made.no)) "
             "return PRODUCTION_ILLEGAL;\n", "", "production_test_paths"),
    Mutation("type of a photo", "services/photo-fetch/gateway.c",
             "r->type.len >= sizeof jpeg - 1 &&\n"
             "           strncasecmp(r->type.ptr, jpeg, sizeof jpeg - 1) == 0",
             "sizeof jpeg > 0", "faults gateway_lie"),
    Mutation("id of an SMS answer", "services/notification/sms.c",
             "if (of && strcmp(of, text) == 0) return a;", "if (of) return a;",
             "faults gateway_lie"),
    Mutation("the breaker opens", "common/pure/patience.c",
             "    if (b->failures < b->limit) return;\n",
             "    if (b->failures <= b->limit) return;\n", "pure_test_patience"),
    # The machine.
    Mutation("monotonic clock", "common/io/clock.c", "read_us(CLOCK_MONOTONIC)",
             "read_us(CLOCK_REALTIME)", "io_test_clock"),
    Mutation("early 503", "common/io/request.c", "if (r->log && !cf_front_up(r->log))",
             "if (r->log && !r->pg)", "faults http_says_503"),
    Mutation("spare descriptor", "common/io/http_listen.c",
             "    int fd = accept4(http->fd, NULL, NULL, SOCK_CLOEXEC);\n"
             "    if (fd >= 0) turn_away(http, fd);\n", "",
             "io_test_http_server"),
    Mutation("time limit of a head", "common/io/http_conn.c",
             "            c->deadline = cf_mono_ms() + c->http->conf.head_ms;\n", "            ;\n",
             "io_test_http_server"),
    Mutation("a request is claimed once", "common/io/request.c",
             ".result = same ? CF_CLAIM_SAME : CF_CLAIM_CONFLICT",
             ".result = same ? CF_CLAIM_NEW : CF_CLAIM_CONFLICT", "io_test_request"),
    Mutation("size of a body", "common/io/http_server.c",
             "if (r->head.length > route->body_max)", "if (r->head.length > ~route->body_max)",
             "io_test_http_server"),
    Mutation("want of memory is told", "common/pure/str.c",
             '    fprintf(stderr, "cardflow: out of memory (%zu bytes)\\n", n);\n',
             "    (void)n;\n", "pure_test_str"),
)
