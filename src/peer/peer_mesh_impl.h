/* Inside of the mesh: what its files share.  See peer_mesh.h. */
#ifndef WEFT_PEER_PEER_MESH_IMPL_H
#define WEFT_PEER_PEER_MESH_IMPL_H

#include "openflow/stream.h"
#include "peer/peer_mesh.h"
#include "peer/peer_own.h"
#include "peer/peer_said.h"
#include "peer/peer_session.h"
#include "peer/peer_tls.h"

enum {
#define X(ID, WORD) + 1
    N_PEER_STATES = 0 PEER_STATES(X)
#undef X
};

struct peer {
    struct peer_mesh *mesh;
    char name[INTENT_NAME_MAX];
    struct ip6_addr address;
    uint16_t port;
    uint8_t fingerprint[PEER_FINGERPRINT_SIZE];
    unsigned int state;           /* N_PEER_STATES: none yet */
    msec since;
    char reason[OF_REASON_SIZE];
    struct peer_session *session; /* NULL: none, not even begun */
    struct peer_said *said;
    uv_timer_t *timer;            /* to call it */
    msec back_off;
};

/* One that we asked. */
struct pending_question {
    uint64_t id;                  /* 0: free */
    const struct peer *peer;
    msec until;
    peer_answered *answered;
    void *aux;
};

/* One that we are asked; it may outlive the peer, and then has none. */
struct peer_question {
    struct peer_question *next;
    struct peer_mesh *mesh;
    struct peer *peer;
    uint64_t id;
};

struct peer_mesh {
    struct peer_mesh_config config;
    struct of_tls *tls;
    char fingerprint[PEER_FINGERPRINT_TEXT_SIZE];
    struct str complaint;
    unsigned int n_peers;
    struct peer **peers;          /* in order of name */
    unsigned int n_guests;
    struct peer_session *guests[PEER_MESH_MAX_GUESTS];
    struct peer_listener *listener;
    struct peer_own *own;
    uv_timer_t *publish;
    bool are_ports_other, is_listening_other;         /* what it is to look at */
    uint64_t next_id;
    struct pending_question pending[PEER_MESH_MAX_QUESTIONS];
    uv_timer_t *answers;          /* NULL: nothing was asked yet */
    struct peer_question *asked;
};

/* Its session is lost: who asked it is told why, and what it asked goes nowhere. */
void peer_mesh_drop_questions(struct peer_mesh *, const struct peer *,
                              const char *reason);
void peer_mesh_asked(struct peer_mesh *, struct peer *,
                     const struct peer_message *);
void peer_mesh_answered(struct peer_mesh *, struct peer *,
                        const struct peer_message *);
/* At the end: nobody answers any more. */
void peer_mesh_forget_asked(struct peer_mesh *);

#endif
