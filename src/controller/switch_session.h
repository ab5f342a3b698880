/* Switch session: the controller's end of one switch's OpenFlow connection.
 *
 *     IDLE        waits for the next attempt (0.25 s, doubled up to 8 s)
 *     CONNECTING  the socket, then the hellos (1.4 or 1.5)
 *     READING     all that we need to know is asked at once: features, ports,
 *                 meters, groups, flows; and told: that we are the master, what
 *                 we want to hear of.  A barrier ends it.
 *     READY       nothing is under way
 *     WRITING     changes are: meters that are new, a bundle of flow-mods,
 *                 meters that are no more, a barrier
 *
 *     IDLE -> CONNECTING -> READING -> READY <-> WRITING
 *      ^----------------------+----------+----------+      when it is lost
 *                             READING <- READY, WRITING    when told to
 *
 * The connection's buffer holds a quarter megabyte at most: a bundle of 100,000
 * flow-mods is encoded as fast as the switch reads it.
 *
 * Everything happens on the loop's thread. */
#ifndef WEFT_CONTROLLER_SWITCH_SESSION_H
#define WEFT_CONTROLLER_SWITCH_SESSION_H

#include <uv.h>

#include "controller/reconcile.h"
#include "openflow/openflow.h"
#include "openflow/tls.h"

enum switch_session_state { SWITCH_IDLE, SWITCH_CONNECTING, SWITCH_READING,
                            SWITCH_READY, SWITCH_WRITING };

struct switch_session;

struct switch_session_config {
    uv_loop_t *loop;
    const char *method;           /* "unix:/run/weft/br0.mgmt"; NULL: `fd` */
    int fd;                       /* connected; taken over, and when it is lost
                                     there is no other */
    struct of_tls *tls;           /* borrowed; for tls: */

    /* NULL: always.  Asked before each attempt. */
    bool (*may_connect)(const void *aux);
    const void *may_connect_aux;

    /* READING: a port is there (or, later, is another one, or no more). */
    void (*port)(void *aux, const struct of_port_desc *, bool is_gone);
    /* READING ended: `installed` was filled, changes can be sent. */
    void (*ready)(void *aux);
    /* The connection was lost: what is installed is not known any more. */
    void (*lost)(void *aux);
    /* The changes are in force; or not all of them (`n_refused`): then what is
     * installed must be read again. */
    void (*written)(void *aux, unsigned int n_refused);
    void (*packet_in)(void *aux, const struct of_packet_in *);
    /* One of the changes was refused. */
    void (*refused)(void *aux, const struct flow_change *, enum of_error);
    void (*refused_meter)(void *aux, const struct meter_mod *,
                          enum of_error);
    void *aux;
};

/* Begins to connect on the next turn of the loop.  `installed` is borrowed.
 * NULL with `error`: the method cannot be understood. */
struct switch_session *switch_session_create(
    const struct switch_session_config *, struct installed *,
    struct str *error);
/* Accepts NULL.  Its handles are closed by the loop's next turns; no callback
 * comes any more. */
void switch_session_destroy(struct switch_session *);

enum switch_session_state switch_session_state(const struct switch_session *);
/* Why it was lost the last time; "" never. */
const char *switch_session_reason(const struct switch_session *);
/* 0 before READY. */
uint64_t switch_session_datapath_id(const struct switch_session *);

/* READY only: takes the changes over and sends them. */
void switch_session_write(struct switch_session *, struct changes *);
/* READY only: asks again what is installed. */
void switch_session_read(struct switch_session *);

/* READY only: the connections of that zone end. */
void switch_session_flush_zone(struct switch_session *, uint16_t zone);

/* READY or WRITING: a packet of ours; sent with others of this turn.  False: so
 * much waits to be sent that it was dropped. */
bool switch_session_packet_out(struct switch_session *, uint32_t in_port,
                               struct action_list, const void *frame,
                               size_t len);

#endif
