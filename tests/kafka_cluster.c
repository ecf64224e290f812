/* kafka_cluster TOPIC: a mock cluster for tests outside of this process. The first line it prints
 * is the brokers' addresses; then a line for each message that comes: KEY PAYLOAD. It ends with its
 * input. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "kafka_cluster.h"

static int has_input(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct kafka_cluster *cluster = kafka_cluster_start(1, argv[1]);
    printf("%s\n", kafka_cluster_brokers(cluster));
    fflush(stdout);
    while (!has_input()) {
        rd_kafka_message_t *message = kafka_cluster_read(cluster, 100);
        if (message == NULL)
            continue;
        printf("%.*s %.*s\n", (int)message->key_len, (const char *)message->key, (int)message->len,
               (const char *)message->payload);
        fflush(stdout);
        rd_kafka_message_destroy(message);
    }
    kafka_cluster_stop(cluster);
    return 0;
}
