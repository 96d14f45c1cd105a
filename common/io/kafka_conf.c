#include "common/io/kafka_conf.h"

#include "common/io/log.h"
#include "common/pure/error.h"

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) CF_BUG(why);
}

rd_kafka_conf_t *cf_kafka_conf(const char *brokers, const cf_kafka_setting *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; (*settings)[0]; settings++)
        set(conf, (*settings)[0], (*settings)[1]);
    set(conf, "bootstrap.servers", brokers);
    return conf;
}

void cf_kafka_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    cf_log(level <= 3 ? LOG_WARN : LOG_DEBUG, "kafka.library", F("facility", facility),
           F("text", text));
}
