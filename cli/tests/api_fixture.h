/* A whole Picket without a hub, in this process, on a temporary folder. */
#ifndef PICKET_CLI_TESTS_API_FIXTURE_H
#define PICKET_CLI_TESTS_API_FIXTURE_H

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http.h"
#include "picket/log/log.h"
#include "picket/service/api.h"
#include "picket/store/store.h"

struct fixture {
    char folder[64];
    char socket_path[100];
    struct picket_log *log;
    struct picket_intel *intel;
    struct picket_service *service;
    struct picket_hunter *hunter; /* searches when it is asked, and never by itself */
    struct picket_api *api;
    struct picket_store *store; /* the test's own handle */
    char changed_device[130];   /* last told by the API */
    char twin_change[1000];     /* the last: "DEVICE [MODULE] VERSION PATCH" */
    char method[300];   /* the last: "DEVICE [MODULE] NAME TIMEOUT CONNECT-TIMEOUT PAYLOAD" */
    int method_outcome; /* enum picket_status that the hub gives */
    const char *method_payload;  /* that the device gives, with status 201; {"a": 1} at first */
    char messages_changed[2000]; /* all that was told: "DEVICE WHAT COUNT;" each */
    bool slow_callback;          /* then the callback that tells posts, and takes its time */
    sem_t in_callback;
};

int fixture_start(void **state);             /* cmocka's setup and teardown of a test */
int fixture_start_with_device(void **state); /* the same, with device "d" */
int fixture_stop(void **state);

struct picket_api_config fixture_api_config(struct fixture *fixture);

/* Calls, and fails the test if the status is another. The caller releases. */
struct http_answer expect(struct fixture *fixture, int status, const char *method, const char *path,
                          const char *body);
/* The same, released; with a text that the error must contain. */
void expect_error(struct fixture *fixture, int status, const char *method, const char *path,
                  const char *body, const char *error_part);

const char *text_at(const json_t *object, const char *name);
long long number_at(const json_t *object, const char *name);

/* Writes a file into the fixture's folder; its path into out. */
void write_file(struct fixture *fixture, const char *name, const char *content, char *out,
                size_t size_bytes);
/* Raises an alert of that device about that subject; its id. */
int64_t raise_alert(struct picket_store *store, const char *device, const char *subject);

#endif
