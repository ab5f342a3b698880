/* A switch without devices or threads, and its sessions' other ends: for tests
 * of what sessions are told, turn by turn. */
#ifndef WEFT_SWITCH_CONTROL_RIG_TEST_H
#define WEFT_SWITCH_CONTROL_RIG_TEST_H

#include "unit.h"

#include "switch/control.h"

struct rig {
    struct switch_ *sw;
    struct control *control;
    msec now;
};

struct peer {
    struct rig *rig;
    struct session *session;
    int fd;
    struct of_protocol protocol;
    struct buf in;
    size_t pos;                   /* of the first message not heard yet */
    uint32_t xid;
};

void rig_init(struct rig *, enum fail_mode);
void rig_fini(struct rig *);
/* What came is carried out; nobody is removed.  Returns when there is more. */
msec rig_turn(struct rig *);
/* Until nothing is left to do at once. */
void rig_settle(struct rig *);
/* Entries that differ in their metadata. */
void rig_add_flows(struct rig *, uint32_t n);
/* Visible entries. */
unsigned int rig_n_flows(const struct rig *);

/* A session that has said hello in this version alone; auxiliary to `main`
 * unless that is NULL. */
void peer_init(struct peer *, struct rig *, enum session_kind,
               enum of_version, struct session *main);
void peer_fini(struct peer *);
void peer_say(struct peer *, struct of_message *);
void peer_say_plain(struct peer *, enum of_type);
/* Reads what has come; false: nothing whole is there. */
bool peer_hear(struct peer *, struct of_message *);
/* Past everything else; false: none has come. */
bool peer_hear_type(struct peer *, enum of_type);
/* Next, as soon as all is settled. */
void peer_hear_error(struct peer *, enum of_error);

#endif
