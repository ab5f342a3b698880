/* Peer mesh: our channels to the other hosts of the file.
 *
 * One connection for each pair of hosts: the one whose name comes first in the
 * order of bytes calls, with a back-off, and the other listens at its `peer`
 * address.  Each says which ports it has and who listens to which groups
 * (peer_message.h), and is asked to explain; nothing else is shared.
 *
 * What a host said goes into a `struct remote`, and stays there when its channel
 * is lost: nothing changes then but what is shown.  When the channel is back, it
 * says everything anew, and what it does not repeat is taken back.
 *
 * A peer is known by the certificate that the file has for it.  A host without
 * one has no channel, as have all when the file has none for us.
 *
 * One thread, the loop's. */
#ifndef WEFT_PEER_PEER_MESH_H
#define WEFT_PEER_PEER_MESH_H

#include <jansson.h>

#include "controller/controller.h"
#include "peer/peer_certificate.h"

struct peer_mesh;

enum {
    PEER_MESH_MAX_GUESTS = 64,    /* who called and has not said who it is */
    PEER_MESH_MAX_QUESTIONS = 64, /* to all peers, that wait for an answer */
    PEER_MESH_ANSWER_TIME = 3000, /* msec */
};

/* X(ID, as shown) */
#define PEER_STATES(X)                                                       \
    X(PEER_UP, "up")                                                         \
    X(PEER_CALLING, "calling")    /* we call it, and it did not answer yet */ \
    X(PEER_AWAITED, "awaited")    /* it is to call us */                     \
    X(PEER_NO_CERTIFICATE, "no-certificate")

enum peer_state {
#define X(ID, WORD) ID,
    PEER_STATES(X)
#undef X
};

struct peer_info {
    const char *host;
    const char *state;
    const char *reason;           /* why the last session ended; "": none did */
    msec since;                   /* it is in this state; clock_msec() */
    unsigned int n_ports;         /* that it says it has */
    uint64_t rtt;                 /* microseconds; 0: unknown */
};

/* A question of another host; to be answered once. */
struct peer_question;

struct peer_mesh_config {
    uv_loop_t *loop;
    const char *host;             /* our name, borrowed */
    const struct peer_certificate *certificate;       /* borrowed */
    struct remote *remote;        /* borrowed: what others say */
    /* `remote` is another; or only who listens. */
    void (*heard)(void *aux, bool only_listening);
    /* What we say. */
    void (*visit_own)(void *aux,
                      void (*visit)(void *, const struct controller_own *),
                      void *visit_aux);
    void (*visit_listening)(void *aux,
                            void (*visit)(void *,
                                          const struct controller_listening *),
                            void *visit_aux);
    /* peer_question_answer() at any time, also from within. */
    void (*asked)(void *aux, const json_t *body, struct peer_question *);
    void *aux;
};

/* NULL with `error`. */
struct peer_mesh *peer_mesh_create(const struct peer_mesh_config *,
                                   struct str *error);
/* Accepts NULL.  Handles are closed by the loop's next turns. */
void peer_mesh_destroy(struct peer_mesh *);

/* The hosts of another set of intents (NULL: none). */
void peer_mesh_set_hosts(struct peer_mesh *, const struct intent *);
/* What we say may be another; it is said a moment later. */
void peer_mesh_publish(struct peer_mesh *);
void peer_mesh_publish_listening(struct peer_mesh *);

/* In order of name. */
void peer_mesh_visit(const struct peer_mesh *,
                     void (*visit)(void *aux, const struct peer_info *),
                     void *aux);
/* What `hosts:` says of us in words: "" when it is right, else what is wrong and
 * what to do. */
const char *peer_mesh_complaint(const struct peer_mesh *);
/* Our name. */
const char *peer_mesh_host(const struct peer_mesh *);
/* Of our own certificate, "sha256:...". */
const char *peer_mesh_fingerprint(const struct peer_mesh *);

/* Takes the body over.  `answered` is called once, from the loop, with a NULL
 * body and why there is none; false: there is no channel to that host, and it
 * is not called. */
typedef void peer_answered(void *aux, const json_t *body, const char *reason);
bool peer_mesh_ask(struct peer_mesh *, const char *host, json_t *body,
                   peer_answered *answered, void *aux);

/* Takes the body over.  Not after the mesh was destroyed. */
void peer_question_answer(struct peer_question *, json_t *body);

#endif
