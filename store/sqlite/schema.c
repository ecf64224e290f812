/* The tables. A step that has once been released is never changed: what comes later is a new step.
 *
 * Everything a batch writes lands at the end of a tree, whatever the number of devices: ids and
 * numbers grow, and the identity of events begins with their time. An index that began with the
 * device would touch a page per device and batch; instead each event names the one before it of the
 * same device, and `activity` the last.
 */
#include "store.h"

static const char *const picket_steps[] = {
    /* Devices are called by number inside; a row stays when the device is removed, for its history.
     */
    "create table devices ("
    "  number integer primary key,"
    "  id text not null unique,"
    "  registered integer not null default 0,"
    "  enabled integer not null default 0,"
    "  primary_key blob not null default x'',"
    "  secondary_key blob not null default x'',"
    "  created_ms integer not null default 0);"

    /* Small, because it is written by every batch; what seldom changes is in inventory. */
    "create table activity ("
    "  device integer primary key,"
    "  last_event integer not null,"
    "  last_seen_ms integer not null,"
    "  events integer not null,"
    "  flows_lost integer not null,"
    "  bytes_lost integer not null);"

    "create table inventory ("
    "  device integer primary key,"
    "  security_module_id text not null,"
    "  security_module_version integer not null,"
    "  os_info text not null,"
    "  kernel_info text not null,"
    "  hw_info text not null);"

    /* Aged from its low end; the newest row stays, so that ids are never used twice. */
    "create table events ("
    "  id integer primary key,"
    "  device integer not null,"
    "  previous integer not null,"
    "  module text not null,"
    "  time_s integer not null,"
    "  key blob not null,"
    "  received_ms integer not null,"
    "  type integer not null,"
    "  event_id blob not null,"
    "  collection_interval_s integer not null,"
    "  duration_s integer not null,"
    "  lost_flows integer not null,"
    "  lost_bytes_in integer not null,"
    "  lost_bytes_out integer not null,"
    "  content text);"
    "create unique index events_identity on events (time_s, device, module, key);"

    /* id: event * 65536 + number of the first flow; flow_block.h has the layout of the block. */
    "create table flows ("
    "  id integer primary key,"
    "  block blob not null);"

    /* status: 1 new, 2 acknowledged, 3 dismissed, 4 resolved. */
    "create table alerts ("
    "  id integer primary key autoincrement,"
    "  type text not null,"
    "  device integer not null,"
    "  subject text not null,"
    "  severity integer not null,"
    "  status integer not null,"
    "  first_seen_ms integer not null,"
    "  last_seen_ms integer not null,"
    "  raised_ms integer not null,"
    "  count integer not null,"
    "  title text not null,"
    "  description text not null,"
    "  remediation text not null,"
    "  technique text not null,"
    "  first_evidence text not null,"
    "  last_evidence text not null);"
    "create unique index alerts_open on alerts (device, type, subject) where status <= 2;"
    "create index alerts_device on alerts (device);"

    "create table dead_letters ("
    "  id integer primary key autoincrement,"
    "  device integer not null,"
    "  module text not null,"
    "  received_ms integer not null,"
    "  reason text not null,"
    "  offset integer not null,"
    "  properties text not null,"
    "  payload blob not null);"

    "create table outbox ("
    "  id integer primary key autoincrement,"
    "  target text not null,"
    "  alert integer not null,"
    "  device integer not null,"
    "  properties text not null,"
    "  received_ms integer not null,"
    "  payload blob not null);"
    "create index outbox_target on outbox (target);"

    /* One row: counting millions takes seconds. */
    "create table totals ("
    "  events integer not null,"
    "  flows integer not null,"
    "  dead_letters integer not null);"
    "insert into totals values (0, 0, 0);",

    /* What is bounded is counted, so that a bound costs nothing to check; and what was dropped is
     * still known after a restart. A target's row stays when all is delivered. */
    "alter table totals add column dead_letter_bytes integer not null default 0;"
    "alter table totals add column dead_letters_dropped integer not null default 0;"
    "update totals set dead_letter_bytes = (select "
    "  coalesce(sum(length(payload) + length(cast(properties as blob))), 0) from dead_letters);"
    "create table targets ("
    "  target text primary key,"
    "  waiting integer not null,"
    "  waiting_bytes integer not null,"
    "  dropped integer not null) without rowid;"
    "insert into targets select target, count(*), sum(length(payload)), 0 from outbox "
    "  group by target;",

    /* Receipt follows the order of ids, but for steps back of this machine's clock: each is noted,
     * with the latest receipt before it. They are few; an index of all events by receipt is not. */
    "create table clock_steps ("
    "  event integer primary key,"
    "  before_ms integer not null);"
    "insert into clock_steps select id, before_ms from "
    "  (select id, received_ms, lag(received_ms) over (order by id) as before_ms from events) "
    "  where received_ms < before_ms;"
    "create index alerts_last_seen on alerts (last_seen_ms);",

    "alter table totals add column events_aged integer not null default 0;",

    /* Set aside: refused by a receiver that took others; not sent until it is put back. */
    "alter table outbox add column aside integer not null default 0;"
    "alter table outbox add column refusals integer not null default 0;"
    "drop index outbox_target;"
    "create index outbox_next on outbox (target, aside);"
    "alter table targets add column aside integer not null default 0;"
    "alter table targets add column refusal text not null default '';",

    /* What people make of an alert. */
    "alter table alerts add column verdict text not null default '';"
    "alter table alerts add column reason text not null default '';"
    "alter table alerts add column decided_ms integer not null default 0;"
    "create index alerts_closed on alerts (decided_ms) where status > 2;"
    "alter table totals add column alerts_aged integer not null default 0;",

    /* A row from the first patch on; times has the shape of its document. */
    "create table twins ("
    "  device integer not null,"
    "  module text not null,"
    "  desired text not null,"
    "  desired_version integer not null,"
    "  desired_times text not null,"
    "  reported text not null,"
    "  reported_version integer not null,"
    "  reported_times text not null,"
    "  primary key (device, module));",
    /* Devices that prove who they are with a certificate. authentication: 0 SAS, 1 thumbprint, 2
       CA. */
    "alter table devices add column authentication integer not null default 0;"
    "alter table devices add column primary_thumbprint blob not null default x'';"
    "alter table devices add column secondary_thumbprint blob not null default x'';"
    "create table authorities ("
    "  name text primary key,"
    "  certificate blob not null unique,"
    "  added_ms integer not null) without rowid;",

    /* From owners to devices; ids are the queues' order, and are never used twice. */
    "create table messages ("
    "  id integer primary key autoincrement,"
    "  device integer not null,"
    "  queued_ms integer not null,"
    "  expires_ms integer not null,"
    "  deliveries integer not null,"
    "  bag text not null,"
    "  payload blob not null);"
    "create index messages_device on messages (device, id);"
    "create index messages_expiry on messages (expires_ms);",

    /* Whom the hub lets in by address: the first rule that covers it decides. */
    "create table ip_rules ("
    "  position integer primary key,"
    "  allow integer not null,"
    "  prefix text not null,"
    "  note text not null);"
    "create table ip_default (deny integer not null);"
    "insert into ip_default values (0);",

    /* What owners did; sealed entry by entry (picket/store/audit.h). */
    "create table audit ("
    "  id integer primary key,"
    "  time_ms integer not null,"
    "  uid integer not null,"
    "  pid integer not null,"
    "  of integer not null,"
    "  status integer not null,"
    "  act text not null,"
    "  thing text not null,"
    "  detail text not null,"
    "  previous blob not null,"
    "  seal blob not null);",

    /* What devices subscribe to, for their next connection. */
    "create table sessions ("
    "  device integer not null,"
    "  module text not null,"
    "  subscriptions integer not null,"
    "  primary key (device, module)) without rowid;",

    /* Which of a device's modules sent it; "" for the device itself. */
    "alter table outbox add column module text not null default '';",

    /* Why an alert has its severity, and others of the same kind. */
    "alter table alerts add column reasons text not null default '';"
    "create index alerts_alike on alerts (type, subject) where status <= 2;",

    /* What the owner does not want to hear of for a while. Suppressed alerts have status 5, and are
     * found as open ones are; decided_ms is when one was last kept back. Lists of alerts are asked
     * for by subject, and by status, severity and type. */
    "create table suppressions ("
    "  id integer primary key autoincrement,"
    "  type text not null,"
    "  device text not null,"
    "  prefix text not null,"
    "  created_ms integer not null,"
    "  until_ms integer not null,"
    "  reason text not null,"
    "  hits integer not null default 0,"
    "  last_hit_ms integer not null default 0);"
    "alter table alerts add column suppression integer not null default 0;"
    "create unique index alerts_suppressed on alerts (device, type, subject) where status = 5;"
    "create index alerts_subject on alerts (subject, type, device);"
    "create index alerts_state on alerts (status, severity, type);",

    /* How far events have been searched for indicators that came after them. One row. */
    "create table hunted (mark_ms integer not null, to_ms integer not null, "
    "end_event integer not null);"
    "insert into hunted values (0, 0, 0);",

    /* All that grouping alerts and most filters look at, beside each other: a row of alerts is a
     * page. It is written at each fold in any case. */
    "drop index alerts_last_seen;"
    "create index alerts_last_seen on alerts (last_seen_ms, type, subject, device, status, "
    "  severity, first_seen_ms, count);",

    /* Who decided; negative: nobody, or before it was written down. */
    "alter table alerts add column decided_uid integer not null default -1;",
};

static const char *const intelligence_steps[] = {
    "create table feeds ("
    "  number integer primary key autoincrement,"
    "  name text not null unique,"
    "  source text not null,"
    "  format text not null,"
    "  confidence integer not null,"
    "  match_special_purpose integer not null,"
    "  refresh_s integer not null,"
    "  added_ms integer not null,"
    "  tried_ms integer not null,"
    "  loaded_ms integer not null,"
    "  etag text not null,"
    "  last_modified text not null,"
    "  skipped integer not null,"
    "  problem text not null,"
    "  indicators integer not null default 0,"
    "  generation integer not null default 0);"

    /* id: feed << 33 | (generation & 1) << 32 | number of the block; indicator_block.h has the
     * layout. The new generation is written beside the old one, which is then removed. */
    "create table indicator_blocks ("
    "  id integer primary key,"
    "  block blob not null);",

    /* How a feed is reached, how reading it went, and what is kept of it beside its indicators. */
    "alter table feeds add column user text not null default '';"
    "alter table feeds add column password_file text not null default '';"
    "alter table feeds add column token_file text not null default '';"
    "alter table feeds add column header text not null default '';"
    "alter table feeds add column header_file text not null default '';"
    "alter table feeds add column proxy text not null default '';"
    "alter table feeds add column ca_file text not null default '';"
    "alter table feeds add column certificate_file text not null default '';"
    "alter table feeds add column key_file text not null default '';"
    "alter table feeds add column pattern text not null default '';"
    "alter table feeds add column columns text not null default '';"
    "alter table feeds add column max_bytes integer not null default 0;"
    "alter table feeds add column changed_ms integer not null default 0;"
    "alter table feeds add column not_before_ms integer not null default 0;"
    "alter table feeds add column whole_ms integer not null default 0;"
    "alter table feeds add column cursor text not null default '';"
    "alter table feeds add column last_added integer not null default 0;"
    "alter table feeds add column last_removed integer not null default 0;"
    "alter table feeds add column last_kept integer not null default 0;"
    "alter table feeds add column last_changed integer not null default 0;"
    "alter table feeds add column last_duration_ms integer not null default 0;"
    "alter table feeds add column waits integer not null default 0;"
    "alter table feeds add column would_hold integer not null default 0;"
    "create table feed_problems ("
    "  feed integer not null,"
    "  position integer not null,"
    "  file text not null,"
    "  line integer not null,"
    "  text text not null,"
    "  reason text not null,"
    "  primary key (feed, position)) without rowid;"
    "create table feed_parts ("
    "  feed integer not null,"
    "  key text not null,"
    "  stamp text not null,"
    "  body blob not null,"
    "  primary key (feed, key));",
    /* Of feeds without a source: a row each, as they are changed one by one. */
    "create table kept_indicators ("
    "  feed integer not null,"
    "  family integer not null,"
    "  address blob not null,"
    "  length integer not null,"
    "  port integer not null,"
    "  protocol integer not null,"
    "  confidence integer not null,"
    "  severity integer not null,"
    "  tlp integer not null,"
    "  line integer not null,"
    "  first_seen_ms integer not null,"
    "  listed_ms integer not null,"
    "  valid_until_ms integer not null,"
    "  tags text not null,"
    "  malware text not null,"
    "  reference text not null,"
    "  primary key (feed, family, address, length, port, protocol)) without rowid;"
    "create index kept_indicators_expiry on kept_indicators (valid_until_ms) "
    "  where valid_until_ms > 0;",

    /* role: enum picket_feed_role */
    ("alter table feeds add column role integer not null default 0;"
     "alter table feeds add column match_own_networks integer not null default 0;"),

    ("alter table feeds add column succeeded_ms integer not null default 0;"
     "update feeds set succeeded_ms = iif(problem = '', tried_ms, loaded_ms);"),
};

const struct schema picket_schema = {
    .steps = picket_steps,
    .version = sizeof picket_steps / sizeof picket_steps[0],
    .page_bytes = 4096,
    .cache_kib = 32 * 1024,
};

const struct schema intelligence_schema = {
    .steps = intelligence_steps,
    .version = sizeof intelligence_steps / sizeof intelligence_steps[0],
    .page_bytes = 16384,
    .cache_kib = 8 * 1024,
};
