#include "controller/switch_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "openflow/conn.h"
#include "openflow/method.h"
#include "openflow/reply.h"

enum { BACKOFF_MIN = 250, BACKOFF_MAX = 8000 };       /* msec */
enum { BUNDLE_ID = 1 };

/* Requests are numbered so that an error finds its cause: what is not a
 * flow-mod of a bundle has a number below. */
enum { XID_READ = 1, XID_WRITE = 2, XID_PACKET_OUT = 3,
       XID_FIRST_METER = 16, XID_FIRST_FLOW = 1 << 24 };

struct switch_session {
    struct switch_session_config config;
    struct installed *installed;
    struct of_method method;
    char *name;                   /* of the method; NULL: a descriptor */
    bool is_fd_taken;             /* which is the connection's now */

    enum switch_session_state state;
    struct of_conn *conn;         /* NULL: there is none yet */
    uv_poll_t *poll;              /* on its descriptor, or the one connecting */
    int watched;
    uv_timer_t *timer;            /* retries, and the connection's own */
    uv_prepare_t *prepare;        /* sends what the turn left */
    msec backoff;
    msec next_try;
    char reason[160];
    uint64_t datapath_id;
    uint64_t generation;

    struct changes changes;       /* WRITING */
    unsigned int n_sent;          /* of its flows */
    unsigned int step;
    unsigned int n_refused;
};

/* ---- Handles ---- */

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void
close_poll(struct switch_session *s)
{
    if (s->poll) {
        uv_poll_stop(s->poll);
        uv_close((uv_handle_t *) s->poll, free_handle);
        s->poll = NULL;
        s->watched = 0;
    }
}

static void set_timer(struct switch_session *, msec at);
static void on_poll(uv_poll_t *, int status, int events);

static void
watch(struct switch_session *s, int events)
{
    if (!s->poll || s->watched == events) {
        return;
    }
    s->watched = events;
    if (events) {
        uv_poll_start(s->poll, events, on_poll);
    } else {
        uv_poll_stop(s->poll);
    }
}

static void
open_poll(struct switch_session *s, int fd)
{
    s->poll = xzalloc(sizeof *s->poll);
    uv_poll_init(s->config.loop, s->poll, fd);
    s->poll->data = s;
}

/* ---- Sending ---- */

static void
put(struct switch_session *s, struct of_message *msg)
{
    struct buf *buf = of_conn_begin_send(s->conn);

    if (of_message_encode(buf, of_conn_protocol(s->conn), msg)) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "%s cannot be said in OpenFlow's version 0x%02x",
                    of_type_name(msg->type),
                    (unsigned int) of_conn_protocol(s->conn)->version);
    }
    of_conn_end_send(s->conn);
}

static void
put_plain(struct switch_session *s, enum of_type type, uint32_t xid)
{
    struct of_message msg = { .type = type, .xid = xid };

    put(s, &msg);
}

static void
ask_for(struct switch_session *s, enum of_multipart_type type)
{
    struct of_message msg = {
        .type = OFT_MULTIPART_REQUEST, .xid = XID_READ,
        .multipart = {
            .type = type, .table = OFPTT_ALL, .out_port = OFPP_ANY,
            .out_group = OFPG_ANY, .port = OFPP_ANY, .group = OFPG_ALL,
            .meter = OFPM_ALL,
        },
    };

    put(s, &msg);
}

/* Whoever was master before us is not any more. */
static void
claim_switch(struct switch_session *s)
{
    struct of_message role = { .type = OFT_ROLE_REQUEST, .xid = XID_READ };
    struct of_message format = { .type = OFT_NX_SET_PACKET_IN_FORMAT,
                                 .xid = XID_READ };
    struct of_message config = { .type = OFT_SET_CONFIG, .xid = XID_READ };

    role.role.role = ROLE_MASTER;
    role.role.has_generation = true;
    role.role.generation_id = s->generation;
    put(s, &role);
    format.packet_in_format = PACKET_IN_NXT2;
    put(s, &format);
    /* The packet-ins that we get are those that our entries ask for. */
    of_conn_protocol(s->conn)->packet_in_format = PACKET_IN_NXT2;
    config.config.miss_send_len = OFPCML_NO_BUFFER;
    put(s, &config);
}

static void
begin_reading(struct switch_session *s)
{
    s->state = SWITCH_READING;
    installed_clear(s->installed);
    put_plain(s, OFT_FEATURES_REQUEST, XID_READ);
    claim_switch(s);
    ask_for(s, MP_PORT_DESC);
    ask_for(s, MP_METER_CONFIG);
    ask_for(s, MP_GROUP_DESC);
    ask_for(s, MP_FLOW);
    put_plain(s, OFT_BARRIER_REQUEST, XID_READ);
}

void
switch_session_read(struct switch_session *s)
{
    assert(s->state == SWITCH_READY);
    begin_reading(s);
}

/* ---- Writing ---- */

/* In this order; each step puts one message, or several while there is room. */
enum { STEP_METERS_BEFORE, STEP_OPEN, STEP_GROUPS, STEP_FLOWS, STEP_COMMIT,
       STEP_METERS_AFTER, STEP_BARRIER, STEP_DONE };

static void
put_bundle_control(struct switch_session *s,
                   enum of_bundle_control_type type)
{
    struct of_message msg = {
        .type = OFT_BUNDLE_CONTROL, .xid = XID_WRITE,
        .bundle_control = { BUNDLE_ID, type, BUNDLE_ATOMIC | BUNDLE_ORDERED },
    };

    put(s, &msg);
}

static void
put_into_bundle(struct switch_session *s, struct of_message *inner)
{
    struct of_message msg = { .type = OFT_BUNDLE_ADD, .xid = inner->xid };
    struct buf bytes = BUF_INIT;

    if (of_message_encode(&bytes, of_conn_protocol(s->conn), inner)) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "a %s cannot be said in this version",
                    of_type_name(inner->type));
    } else {
        msg.bundle_add = (struct of_bundle_add) {
            BUNDLE_ID, BUNDLE_ATOMIC | BUNDLE_ORDERED,
            { bytes.data, bytes.len },
        };
        put(s, &msg);
    }
    buf_fini(&bytes);
}

static void
put_flow(struct switch_session *s, unsigned int i)
{
    const struct flow_change *change = &s->changes.flows[i];
    struct of_message msg = { .type = OFT_FLOW_MOD,
                              .xid = XID_FIRST_FLOW + i };

    flow_rule_to_mod(change->rule, &msg.flow_mod);
    msg.flow_mod.command = change->command;
    if (change->command == FLOW_MOD_DELETE_STRICT) {
        msg.flow_mod.instructions = (struct instructions) { .meter = 0 };
        msg.flow_mod.cookie = 0;
    } else if (change->command == FLOW_MOD_MODIFY_STRICT) {
        /* The cookie of a modification is which entries it is for: any. */
        msg.flow_mod.cookie = 0;
    }
    put_into_bundle(s, &msg);
}

static void
put_meters(struct switch_session *s, unsigned int first, unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        struct of_message msg = { .type = OFT_METER_MOD,
                                  .xid = XID_FIRST_METER + i,
                                  .meter_mod = s->changes.meters[i] };

        put(s, &msg);
    }
}

static void
put_no_groups(struct switch_session *s)
{
    struct of_message msg = { .type = OFT_GROUP_MOD, .xid = XID_WRITE };

    msg.group_mod.command = GROUP_MOD_DELETE;
    msg.group_mod.id = OFPG_ALL;
    put_into_bundle(s, &msg);
}

static void
do_step(struct switch_session *s)
{
    switch (s->step) {
    case STEP_METERS_BEFORE:
        put_meters(s, 0, s->changes.n_meters_before);
        break;
    case STEP_OPEN:
        if (!s->changes.n && !s->changes.groups) {
            s->step = STEP_COMMIT;
            break;
        }
        put_bundle_control(s, BUNDLE_OPEN_REQUEST);
        break;
    case STEP_GROUPS:
        if (s->changes.groups) {
            put_no_groups(s);
        }
        break;
    case STEP_FLOWS:
        if (s->n_sent < s->changes.n) {
            put_flow(s, s->n_sent++);
            return;
        }
        break;
    case STEP_COMMIT:
        put_bundle_control(s, s->n_refused ? BUNDLE_DISCARD_REQUEST
                                           : BUNDLE_COMMIT_REQUEST);
        break;
    case STEP_METERS_AFTER:
        put_meters(s, s->changes.n_meters_before, s->changes.n_meters);
        break;
    case STEP_BARRIER:
        put_plain(s, OFT_BARRIER_REQUEST, XID_WRITE);
        break;
    default:
        return;
    }
    s->step++;
}

/* As much as there is room for; the rest when the switch has read some. */
static void
go_on_writing(struct switch_session *s)
{
    while (s->state == SWITCH_WRITING && s->step != STEP_DONE
           && of_conn_state(s->conn) == OF_CONN_OPEN
           && of_conn_has_room(s->conn)) {
        do_step(s);
    }
}

void
switch_session_write(struct switch_session *s, struct changes *changes)
{
    assert(s->state == SWITCH_READY);
    s->state = SWITCH_WRITING;
    changes_fini(&s->changes);
    s->changes = *changes;
    changes_init(changes);
    s->n_sent = s->n_refused = 0;
    s->step = STEP_METERS_BEFORE;
    set_timer(s, clock_msec());
}

static void
end_writing(struct switch_session *s)
{
    unsigned int n_refused = s->n_refused;

    s->state = SWITCH_READY;
    if (!n_refused) {
        installed_apply(s->installed, &s->changes);
    }
    changes_fini(&s->changes);
    s->config.written(s->config.aux, n_refused);
}

void
switch_session_flush_zone(struct switch_session *s, uint16_t zone)
{
    struct of_message msg = { .type = OFT_NX_CT_FLUSH_ZONE,
                              .xid = XID_PACKET_OUT };

    assert(s->state == SWITCH_READY);
    msg.ct_flush.has_zone = true;
    msg.ct_flush.zone = zone;
    put(s, &msg);
}

bool
switch_session_packet_out(struct switch_session *s, uint32_t in_port,
                          struct action_list actions, const void *frame,
                          size_t len)
{
    struct of_message msg = { .type = OFT_PACKET_OUT, .xid = XID_PACKET_OUT };

    if (s->state < SWITCH_READY || !of_conn_has_room(s->conn)) {
        return false;
    }
    match_init(&msg.packet_out.match);
    msg.packet_out.buffer_id = OF_NO_BUFFER;
    msg.packet_out.in_port = in_port;
    /* Borrowed for the time of encoding. */
    msg.packet_out.actions.data = (char *) (uintptr_t) actions.first;
    msg.packet_out.actions.len = actions.len;
    msg.packet_out.data = (struct of_bytes) { frame, len };
    put(s, &msg);
    return true;
}

/* ---- Receiving ---- */

static void
read_flows(struct switch_session *s, struct of_bytes body)
{
    const struct of_protocol *p = of_conn_protocol(s->conn);
    enum of_error error;
    struct flow_mod mod;
    bool is_whole;

    while (of_next_flow(p, &body, &mod, &is_whole, &error)) {
        struct flow_rule *rule;

        if (!is_whole) {
            mod.flags = UINT16_MAX;         /* like none of ours */
        }
        rule = flow_rule_create(&mod);
        flow_set_insert(&s->installed->flows, rule);
        flow_rule_unref(rule);
        flow_mod_fini(&mod);
    }
    if (error) {
        log_limited(LOG_LEVEL_WARN, "controller",
                    "a flow of the switch cannot be read: %s",
                    of_error_name(error));
    }
}

static void
read_ports(struct switch_session *s, struct of_bytes body)
{
    struct of_port_desc desc;
    enum of_error error;

    while (of_next_port(of_conn_protocol(s->conn), &body, &desc, &error)) {
        s->config.port(s->config.aux, &desc, false);
    }
}

static void
read_meters(struct switch_session *s, struct of_bytes body)
{
    struct meter_mod mod;
    enum of_error error;

    while (of_next_meter(of_conn_protocol(s->conn), &body, &mod, &error)) {
        struct port_meter meter = port_meter_from_mod(&mod);

        installed_add_meter(s->installed, &meter);
    }
}

static void
on_reply(struct switch_session *s, const void *data, size_t len)
{
    struct of_multipart_reply reply;

    if (of_multipart_reply_decode(of_conn_protocol(s->conn), data, len,
                                  &reply, NULL)
        || s->state != SWITCH_READING || reply.xid != XID_READ) {
        return;
    }
    switch (reply.type) {
    case MP_PORT_DESC: read_ports(s, reply.body); break;
    case MP_METER_CONFIG: read_meters(s, reply.body); break;
    case MP_GROUP_DESC: s->installed->n_groups += !!reply.body.len; break;
    case MP_FLOW: read_flows(s, reply.body); break;
    default: break;
    }
}

static void
on_barrier(struct switch_session *s, uint32_t xid)
{
    if (s->state == SWITCH_READING && xid == XID_READ) {
        s->state = SWITCH_READY;
        s->config.ready(s->config.aux);
    } else if (s->state == SWITCH_WRITING && xid == XID_WRITE
               && s->step == STEP_DONE) {
        end_writing(s);
    }
}

static void
on_error(struct switch_session *s, const struct of_message *msg)
{
    enum of_error error = msg->error.error;

    if (s->state == SWITCH_WRITING && msg->xid >= XID_FIRST_FLOW
        && msg->xid - XID_FIRST_FLOW < s->n_sent) {
        s->n_refused++;
        s->config.refused(s->config.aux,
                          &s->changes.flows[msg->xid - XID_FIRST_FLOW],
                          error);
        return;
    }
    if (s->state == SWITCH_WRITING && msg->xid >= XID_FIRST_METER
        && msg->xid - XID_FIRST_METER < s->changes.n_meters) {
        const struct meter_mod *mod
            = &s->changes.meters[msg->xid - XID_FIRST_METER];

        s->n_refused++;
        s->config.refused_meter(s->config.aux, mod, error);
        return;
    }
    s->n_refused += s->state == SWITCH_WRITING && msg->xid == XID_WRITE;
    log_limited(LOG_LEVEL_WARN, "controller", "%s: the switch says %s (%s)",
                s->name ? s->name : "switch",
                error < N_OF_ERRORS ? of_error_name(error) : "an error",
                msg->xid == XID_READ ? "when it was asked what it has"
                : msg->xid == XID_PACKET_OUT ? "to a packet" : "to a bundle");
}

static void
on_message(struct switch_session *s, const void *data, size_t len)
{
    struct of_message msg;

    if (of_is_multipart_reply(of_conn_protocol(s->conn), data, len)) {
        on_reply(s, data, len);
        return;
    }
    if (of_message_decode(of_conn_protocol(s->conn), data, len, &msg, NULL)) {
        return;
    }
    switch (msg.type) {
    case OFT_FEATURES_REPLY:
        s->datapath_id = msg.features.datapath_id;
        break;
    case OFT_PORT_STATUS:
        s->config.port(s->config.aux, &msg.port_status.desc,
                       msg.port_status.reason == PORT_DELETED);
        break;
    case OFT_PACKET_IN:
        if (s->state >= SWITCH_READY) {
            s->config.packet_in(s->config.aux, &msg.packet_in);
        }
        break;
    case OFT_BARRIER_REPLY: on_barrier(s, msg.xid); break;
    case OFT_ERROR: on_error(s, &msg); break;
    default: break;
    }
    of_message_fini(&msg);
}

/* ---- The connection ---- */

static void
lose(struct switch_session *s, const char *reason)
{
    bool was_ours = s->state >= SWITCH_READING;

    log_limited(LOG_LEVEL_INFO, "controller", "%s: %s",
                s->name ? s->name : "switch", reason);
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    close_poll(s);
    of_conn_destroy(s->conn);
    s->conn = NULL;
    s->state = SWITCH_IDLE;
    changes_fini(&s->changes);
    s->next_try = s->name ? clock_msec() + s->backoff : INT64_MAX;
    s->backoff = MIN(2 * s->backoff, (msec) BACKOFF_MAX);
    if (was_ours) {
        s->config.lost(s->config.aux);
    }
}

static void
start_conn(struct switch_session *s, int fd)
{
    struct of_conn_config config = {
        .versions = 1 << OF14 | 1 << OF15,
        .probe_interval = OF_CONN_PROBE_DEFAULT,
        .tls = s->method.is_tls ? s->config.tls : NULL,
    };

    s->conn = of_conn_create(fd, &config, clock_msec());
    if (!s->conn) {
        close_poll(s);
        lose(s, "no memory for TLS");
    }
}

static void
begin_connecting(struct switch_session *s)
{
    int fd = s->name ? of_method_open(&s->method) : s->config.fd;

    s->state = SWITCH_CONNECTING;
    s->is_fd_taken = true;
    if (fd < 0) {
        lose(s, strerror(-fd));
        return;
    }
    open_poll(s, fd);
    if (s->name) {
        watch(s, UV_WRITABLE);              /* then it is decided */
    } else {
        start_conn(s, fd);
    }
}

static void
connected(struct switch_session *s)
{
    socklen_t len = sizeof(int);
    uv_os_fd_t fd = -1;
    int err = 0;

    uv_fileno((uv_handle_t *) s->poll, &fd);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err) {
        close_poll(s);
        close(fd);
        lose(s, strerror(err));
        return;
    }
    start_conn(s, fd);
}

static int
uv_events(unsigned int wants)
{
    return (wants & OF_READ ? UV_READABLE : 0)
           | (wants & OF_WRITE ? UV_WRITABLE : 0);
}

/* What a turn of the loop comes to: messages, then what is to be sent, then
 * when to look again. */
static void
turn(struct switch_session *s)
{
    msec next = s->next_try;
    const void *data;
    size_t len;

    while (s->conn && (data = of_conn_next(s->conn, &len))) {
        on_message(s, data, len);
    }
    if (s->conn && s->state == SWITCH_CONNECTING
        && of_conn_state(s->conn) == OF_CONN_OPEN) {
        s->backoff = BACKOFF_MIN;
        begin_reading(s);
    }
    if (s->conn) {
        go_on_writing(s);
        of_conn_flush(s->conn);
        next = of_conn_tick(s->conn, clock_msec());
    }
    if (s->conn && of_conn_state(s->conn) == OF_CONN_CLOSED) {
        lose(s, of_conn_reason(s->conn));
        next = s->next_try;
    }
    if (s->conn) {
        watch(s, uv_events(of_conn_wants(s->conn)));
        next = of_conn_has_next(s->conn) ? clock_msec() : next;
    }
    set_timer(s, next);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    struct switch_session *s = poll->data;
    unsigned int ready = status < 0 ? OF_READ | OF_WRITE
                         : (events & UV_READABLE ? OF_READ : 0u)
                           | (events & UV_WRITABLE ? OF_WRITE : 0u);

    if (!s->conn) {
        connected(s);
    } else {
        of_conn_on_ready(s->conn, ready, clock_msec());
    }
    turn(s);
}

static bool
may_connect(const struct switch_session *s)
{
    return !s->config.may_connect
           || s->config.may_connect(s->config.may_connect_aux);
}

static void
on_timer(uv_timer_t *timer)
{
    struct switch_session *s = timer->data;

    if (s->state == SWITCH_IDLE && clock_msec() >= s->next_try) {
        if (may_connect(s)) {
            s->next_try = INT64_MAX;
            begin_connecting(s);
        } else {
            s->next_try = clock_msec() + BACKOFF_MIN;
        }
    }
    turn(s);
}

static void
set_timer(struct switch_session *s, msec at)
{
    msec now = clock_msec();

    uv_timer_stop(s->timer);
    if (at != INT64_MAX) {
        uv_timer_start(s->timer, on_timer,
                       at > now ? (uint64_t) (at - now) : 0, 0);
    }
}

/* Before the loop sleeps: what services answered leaves together. */
static void
on_prepare(uv_prepare_t *prepare)
{
    struct switch_session *s = prepare->data;

    if (s->conn && of_conn_backlog(s->conn)) {
        of_conn_flush(s->conn);
        watch(s, uv_events(of_conn_wants(s->conn)));
    }
}

/* ---- Making and ending ---- */

static bool
read_method(struct switch_session *s, struct str *error)
{
    if (!s->config.method) {
        return true;
    }
    if (of_method_parse(s->config.method, &s->method, error)) {
        return false;
    }
    if (s->method.is_passive || (s->method.is_tls && !s->config.tls)) {
        str_setf(error, s->method.is_passive
                            ? "expected tcp:, tls: or unix:"
                            : "TLS needs a key and certificates");
        return false;
    }
    s->name = xstrdup(s->config.method);
    return true;
}

/* Later than any before, of this process or an earlier one. */
static uint64_t
generation_now(void)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);
    return (uint64_t) tv.tv_sec * 1000000 + (uint64_t) tv.tv_usec;
}

struct switch_session *
switch_session_create(const struct switch_session_config *config,
                      struct installed *installed, struct str *error)
{
    struct switch_session *s = xzalloc(sizeof *s);

    s->config = *config;
    s->installed = installed;
    if (!read_method(s, error)) {
        free(s);
        return NULL;
    }
    s->generation = generation_now();
    s->backoff = BACKOFF_MIN;
    changes_init(&s->changes);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(config->loop, s->timer);
    s->prepare = xzalloc(sizeof *s->prepare);
    s->prepare->data = s;
    uv_prepare_init(config->loop, s->prepare);
    uv_prepare_start(s->prepare, on_prepare);
    uv_unref((uv_handle_t *) s->prepare);
    set_timer(s, clock_msec());
    return s;
}

void
switch_session_destroy(struct switch_session *s)
{
    if (!s) {
        return;
    }
    if (!s->name && !s->is_fd_taken) {
        close(s->config.fd);
    }
    if (s->poll && !s->conn) {
        uv_os_fd_t fd = -1;

        uv_fileno((uv_handle_t *) s->poll, &fd);
        close_poll(s);
        close(fd);
    }
    close_poll(s);
    uv_close((uv_handle_t *) s->timer, free_handle);
    uv_close((uv_handle_t *) s->prepare, free_handle);
    of_conn_destroy(s->conn);
    changes_fini(&s->changes);
    free(s->name);
    free(s);
}

enum switch_session_state
switch_session_state(const struct switch_session *s)
{
    return s->state;
}

const char *
switch_session_reason(const struct switch_session *s)
{
    return s->reason;
}

uint64_t
switch_session_datapath_id(const struct switch_session *s)
{
    return s->datapath_id;
}
