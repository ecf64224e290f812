/* Messages from the log to what is committed, without a network: log, decode, match, store on a
 * disk.
 *
 *     bench_pipeline [MESSAGES]      50,000 unless told
 */
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "messages.h"
#include "picket/base/time.h"
#include "picket/log/log.h"
#include "picket/service/service.h"
#include "picket/wire/message.h"

enum { DEVICES = 100 };

static _Atomic uint64_t durable;

static void note_durable(void *context, uint64_t position)
{
    (void)context;
    atomic_store(&durable, position);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

/* Each message is another one: its event's id is counted up within the encoded bytes. */
static void number_message(struct bench_message *message, const uint8_t *id, uint64_t number)
{
    uint8_t *at = memmem(message->bytes, message->size, id, 16);
    if (at != NULL)
        memcpy(at, &number, sizeof number);
}

static void append(struct picket_log *log, const struct bench_message *message, int device)
{
    char name[16];
    snprintf(name, sizeof name, "device-%d", device);
    struct picket_log_message appended = {.device = name,
                                          .module = "",
                                          .received_ms = picket_unix_ms(),
                                          .properties = PICKET_WIRE_TOPIC_PROPERTIES,
                                          .payload = message->bytes,
                                          .payload_bytes = message->size};
    while (picket_log_append(log, &appended, NULL) == PICKET_BUSY)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void measure(struct picket_log *log, uint32_t flows, uint64_t count)
{
    static uint64_t appended;
    uint32_t random = 88172645u;
    struct bench_message message = bench_message_make(flows, &random);
    uint32_t again = 88172645u;
    for (int i = 0; i < 64 * 4; i++)
        bench_random(&again);
    uint8_t id[16];
    for (int i = 0; i < 16; i++)
        id[i] = (uint8_t)(bench_random(&again) >> 8);
    int64_t start_ms = picket_monotonic_ms();
    for (uint64_t i = 0; i < count; i++) {
        number_message(&message, id, i);
        memcpy(id, &i, sizeof i);
        append(log, &message, (int)(i % DEVICES));
    }
    appended += count;
    while (atomic_load(&durable) < appended)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    double seconds = (double)(picket_monotonic_ms() - start_ms) / 1000;
    printf("%2u flows a message: %.0f durable messages/s, %.0f flows/s\n", flows,
           (double)count / seconds, (double)count * flows / seconds);
    free(message.bytes);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/picket-bench-XXXXXX";
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;
    struct picket_error error = {0};
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    struct picket_service_config config = {.store_folder = folder};
    bench_must(picket_log_open_direct(&log, NULL, &error), &error);
    picket_log_on_durable(log, note_durable, NULL);
    bench_must(picket_intel_start(&intel, folder, &error), &error);
    bench_must(picket_service_start(&service, &config, log, intel, &error), &error);
    static const uint32_t sizes[] = {64, 8, 1, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        measure(log, sizes[i], count);
    picket_log_close(log);
    picket_service_stop(service);
    picket_intel_stop(intel);
    picket_log_destroy(log);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
