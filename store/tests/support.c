#include "support.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

char folder[64];
struct picket_error error;

int random_below(uint64_t *state, int below)
{
    return (int)(next_random(state) % (uint64_t)below);
}

void new_folder(void)
{
    /* In memory where there is such a place: these tests are about what is written, not how fast.
     */
    strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/picket-store-XXXXXX"
                                                 : "/tmp/picket-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rmdir(folder), 0);
}

void forget_folder(void)
{
    chmod(folder, 0700);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(folder);
}

int with_store(void **state)
{
    struct picket_store *store;
    new_folder();
    MUST(picket_store_open(&store, folder, &error));
    *state = store;
    return 0;
}

int without_store(void **state)
{
    picket_store_close(*state);
    forget_folder();
    return 0;
}

void must(int status)
{
    if (status != PICKET_OK)
        fail_msg("%d: %s", status, error.text);
}

static sqlite3 *open_file(const char *file)
{
    char path[400];
    sqlite3 *handle;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

void run_sql(const char *file, const char *sql)
{
    sqlite3 *handle = open_file(file);
    char *message = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(handle);
}

int64_t ask_sql(const char *file, const char *sql)
{
    sqlite3 *handle = open_file(file);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return answer;
}

void make_old_store(int version)
{
    char stamp[100];
    assert_int_equal(mkdir(folder, 0700), 0);
    run_sql("picket.db", "pragma page_size = 4096");
    for (int step = 0; step < version; step++)
        run_sql("picket.db", picket_schema.steps[step]);
    snprintf(stamp, sizeof stamp, "pragma application_id = %d; pragma user_version = %d",
             0x50636b74, version);
    run_sql("picket.db", stamp);
}

struct picket_event_row event_of(const char *device, int64_t time_s, uint64_t key)
{
    struct picket_event_row event = {
        .device = device,
        .module = "",
        .received_ms = time_s * 1000 + 250,
        .time_s = time_s,
        .collection_interval_s = 60,
        .duration_s = 59,
        .type = 1,
    };
    memcpy(event.key, &key, sizeof key);
    memcpy(event.id, &key, sizeof key);
    return event;
}

struct picket_flow flow_of(uint64_t number)
{
    uint64_t state = number;
    uint8_t bytes[32];
    for (int i = 0; i < 4; i++) {
        uint64_t random = next_random(&state);
        memcpy(bytes + 8 * i, &random, 8);
    }
    struct picket_flow flow = {
        .local = number % 3 == 0 ? picket_address_ipv6(bytes) : picket_address_ipv4(bytes),
        .remote =
            number % 5 == 0 ? picket_address_ipv6(bytes + 16) : picket_address_ipv4(bytes + 16),
        .local_port = (uint16_t)(bytes[4] << 8 | bytes[5]),
        .remote_port = (uint16_t)(bytes[6] << 8 | bytes[7]),
        .protocol = (uint8_t)(number % 4),
        .bytes_in = (uint32_t)next_random(&state),
        .bytes_out = (uint32_t)next_random(&state),
    };
    return flow;
}

bool flows_are_equal(const struct picket_flow *a, const struct picket_flow *b)
{
    return memcmp(&a->local, &b->local, sizeof a->local) == 0 &&
           memcmp(&a->remote, &b->remote, sizeof a->remote) == 0 &&
           a->local_port == b->local_port && a->remote_port == b->remote_port &&
           a->protocol == b->protocol && a->bytes_in == b->bytes_in && a->bytes_out == b->bytes_out;
}

struct picket_finding finding_of(const char *device, const char *subject, int64_t seen_ms)
{
    return (struct picket_finding){
        .type = "IoT_Test",
        .device = device,
        .subject = subject,
        .severity = PICKET_SEVERITY_MEDIUM,
        .seen_ms = seen_ms,
        .title = "title",
        .description = "description",
        .remediation = "remediation",
        .technique = "T1071",
        .evidence = "{}",
    };
}

struct picket_device_identity identity_of(const char *id)
{
    struct picket_device_identity device = {.enabled = true, .created_ms = 1000};
    snprintf(device.id, sizeof device.id, "%s", id);
    memcpy(device.primary_key, "primary", 7);
    device.primary_key_bytes = 7;
    memcpy(device.secondary_key, "second\0ary", 10);
    device.secondary_key_bytes = 10;
    return device;
}

struct picket_store_totals totals_of(struct picket_store *store)
{
    struct picket_store_totals totals;
    MUST(picket_store_totals(store, &totals, &error));
    return totals;
}
