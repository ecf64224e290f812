/* What the load client is told. */
#ifndef PICKET_BENCH_LOAD_OPTIONS_H
#define PICKET_BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_device {
    char *id;
    char *user_name;
    char *password;
};

struct load_options {
    const char *host;
    uint16_t port;
    const char *ca_file;
    int tls_version; /* 0: any */
    uint32_t connections;
    uint32_t in_flight;
    uint64_t messages;
    size_t bytes;
    int qos;
    const char *topic; /* {id} stands for the device's id */
    uint8_t *payload;  /* `bytes` of them */
    long stamp;        /* offset at which each message carries its number; -1: none */
    long stamp_time;   /* offset of a Unix time that grows by 1 with each message of a device; -1:
                          none */
    double rate;       /* messages a second, all connections together; 0: as fast as it goes */
    uint32_t handshakes;
    uint32_t idle_s;
    uint32_t keep_alive_s;
    uint32_t sources;  /* addresses to connect from, from 127.0.0.1 on; 0: as the system likes */
    double reconnects; /* a second; 0: all connect once and stay */
    uint32_t seconds;  /* of reconnects */
    bool resume;
    bool json;
    struct load_device *devices; /* `connections` of them */
};

/* Ends the process with a sentence when something is wrong, or after --help. */
void load_options_read(struct load_options *options, int argc, char **argv);
void load_options_free(struct load_options *options);

#endif
