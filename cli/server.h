/* The parts of Picket in one process, started and stopped in order.
 *
 *     start:  log ─▶ intelligence ─▶ service ─▶ API ─▶ hub
 *     stop:   hub ─▶ API ─▶ log closed ─▶ service drains ─▶ intelligence ─▶ log
 *
 * The hub comes last and goes first: no device gets in before everything behind it is there, and
 * what it has handed over is committed before the end.
 */
#ifndef PICKET_CLI_SERVER_H
#define PICKET_CLI_SERVER_H

#include <stdint.h>

#include "config.h"
#include "picket/base/error.h"

struct server;

/* config must outlive the server. PICKET_EXISTS: another process serves this data folder. */
int server_start(struct server **server, const struct picket_config *config,
                 struct picket_error *error);
void server_stop(struct server *server);
uint16_t server_port(const struct server *server);

#endif
