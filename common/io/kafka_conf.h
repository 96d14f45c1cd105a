/* kafka_conf -- the settings of a Kafka client from a table. */
#pragma once
#include <librdkafka/rdkafka.h>

typedef const char *cf_kafka_setting[2]; /* name, value */

/* The settings of a table that {0} ends, and the brokers (host:port, comma-separated). A setting
 * that the library does not know is a bug. The caller gives it to rd_kafka_new or destroys it. */
rd_kafka_conf_t *cf_kafka_conf(const char *brokers, const cf_kafka_setting *settings);

/* For rd_kafka_conf_set_log_cb: what the library says goes to the service's log. */
void cf_kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);
