/* librdkafka's mock cluster, which speaks Kafka's protocol on loopback, and a consumer of a topic
 * in it. */
#ifndef TESTS_KAFKA_CLUSTER_H
#define TESTS_KAFKA_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>

struct kafka_cluster;

enum { KAFKA_PARTITIONS = 4 };

/* Of so many brokers, with a topic of KAFKA_PARTITIONS. */
struct kafka_cluster *kafka_cluster_start(int brokers, const char *topic);
void kafka_cluster_stop(struct kafka_cluster *cluster);
const char *kafka_cluster_brokers(const struct kafka_cluster *cluster);
/* What may be injected into it. */
rd_kafka_mock_cluster_t *kafka_cluster_mock(const struct kafka_cluster *cluster);

/* The next message, in the order of each partition; NULL: none came in wait_ms. To be destroyed. */
rd_kafka_message_t *kafka_cluster_read(struct kafka_cluster *cluster, int wait_ms);

#endif
