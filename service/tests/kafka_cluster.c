#include "kafka_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kafka_cluster {
    rd_kafka_t *host; /* the mock lives in it */
    rd_kafka_mock_cluster_t *mock;
    rd_kafka_t *consumer;
};

static void silent(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client, (void)level, (void)facility, (void)text;
}

static void must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "kafka cluster: %s\n", what);
    abort();
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *brokers)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, silent);
    rd_kafka_conf_set(conf, "group.id", "test", reason, sizeof reason);
    if (brokers != NULL)
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof reason);
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    must(client != NULL, reason);
    return client;
}

static void assign_all(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(KAFKA_PARTITIONS);
    for (int i = 0; i < KAFKA_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    must(rd_kafka_assign(consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR, "assign");
    rd_kafka_topic_partition_list_destroy(list);
}

struct kafka_cluster *kafka_cluster_start(int brokers, const char *topic)
{
    struct kafka_cluster *cluster = calloc(1, sizeof *cluster);
    must(cluster != NULL, "no memory");
    cluster->host = make_client(RD_KAFKA_PRODUCER, NULL);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->host, brokers);
    must(cluster->mock != NULL, "no mock cluster");
    must(rd_kafka_mock_topic_create(cluster->mock, topic, KAFKA_PARTITIONS, brokers) ==
             RD_KAFKA_RESP_ERR_NO_ERROR,
         "no topic");
    cluster->consumer = make_client(RD_KAFKA_CONSUMER, kafka_cluster_brokers(cluster));
    rd_kafka_poll_set_consumer(cluster->consumer);
    assign_all(cluster->consumer, topic);
    return cluster;
}

void kafka_cluster_stop(struct kafka_cluster *cluster)
{
    rd_kafka_consumer_close(cluster->consumer);
    rd_kafka_destroy(cluster->consumer);
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->host);
    free(cluster);
}

const char *kafka_cluster_brokers(const struct kafka_cluster *cluster)
{
    return rd_kafka_mock_cluster_bootstraps(cluster->mock);
}

rd_kafka_mock_cluster_t *kafka_cluster_mock(const struct kafka_cluster *cluster)
{
    return cluster->mock;
}

rd_kafka_message_t *kafka_cluster_read(struct kafka_cluster *cluster, int wait_ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(cluster->consumer, wait_ms);
    if (message == NULL || message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return message;
    rd_kafka_message_destroy(message); /* of a broker that is down, say */
    return NULL;
}
