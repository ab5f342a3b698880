/* Learning: flow entries that packets make (the action "learn").
 *
 * A worker that translates a packet builds the flow-mod which the action asks
 * for.  If such an entry is there, the answer is cached as any other is, and its
 * packets refresh the entry (credit.h).  If not, the packet is held: a copy goes
 * to the control thread with the flow-mods (learning_hold), which carries them
 * out, publishes, and only then lets the packet go on (switch_learn.c).  So
 * whoever answers the packet meets the entry, and workers wait for nobody.
 *
 * What was learned is found by a hash of what the entry says: a table of slots
 * in which a later entry may take an earlier one's place.  Then the next packet
 * is held for nothing, and puts it back.
 *
 * TCP connections that end (fin_timeout) are told to the control thread by the
 * same way. */
#ifndef WEFT_SWITCH_LEARN_H
#define WEFT_SWITCH_LEARN_H

#include "datapath/datapath.h"
#include "switch/flow_view.h"

/* ---- What one packet asks for ---- */

struct learn_request {
    struct flow_mod mod;
    uint32_t limit;               /* entries of the cookie; 0: any number */
};

struct learn_list {
    unsigned int n;
    struct learn_request *list;
};

void learn_list_fini(struct learn_list *);
/* Takes the flow-mod over. */
void learn_list_add(struct learn_list *, struct flow_mod *, uint32_t limit);

/* The flow-mod for the packet as it is now; flow_mod_fini() it. */
void learn_build(const struct action_learn *, const struct flow_view *,
                 struct flow_looks *, struct flow_mod *);
/* Can there be such an entry?  If not, says why. */
bool learn_can_be(const struct flow_mod *, struct str *why);
/* Is the entry what the flow-mod would make?  (fin_timeout may have brought its
 * timeouts down.) */
bool learn_is_same(const struct flow_entry *, const struct flow_mod *);

/* ---- Between workers and the control thread ---- */

enum { LEARN_MAX_HELD = 4096, LEARN_MAX_HELD_PER_PORT = 512 };

struct learning;

/* `ready`, on any thread: something waits. */
struct learning *learning_create(void (*ready)(void *aux), void *aux);
void learning_destroy(struct learning *);

/* Any RCU reader: the entry that the flow-mod would make, if it is visible in
 * that version; NULL: not there, or not known to be. */
const struct flow_entry *learning_find(const struct learning *,
                                       const struct tables *,
                                       uint64_t version,
                                       const struct flow_mod *);
/* Control thread: now it is known. */
void learning_register(struct learning *, const struct flow_mod *,
                       uint64_t entry_id);

/* A packet that waits for its entries. */
struct held_packet {
    struct held_packet *next;
    struct packet pkt;            /* its bytes lie behind, in no pool */
    struct learn_list learns;
    uint8_t data[];
};
/* Any thread: copies the packet and takes the list over.  False: too many
 * wait. */
bool learning_hold(struct learning *, const struct packet *,
                   struct learn_list *);
/* Control thread: all that wait, in the order they came.  Free each. */
struct held_packet *learning_take(struct learning *);
void held_packet_free(struct held_packet *);

/* A connection of the entry ended. */
struct finished {
    struct finished *next;
    uint64_t entry;
    uint16_t idle_timeout, hard_timeout;
};
/* Any thread. */
void learning_finish(struct learning *, uint64_t entry,
                     uint16_t idle_timeout, uint16_t hard_timeout);
/* Control thread: all of them; free() each. */
struct finished *learning_take_finished(struct learning *);

#endif
