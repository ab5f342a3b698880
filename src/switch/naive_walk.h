/* A packet on its way through the naive switch, with what the pipeline knows
 * of it: shared by the files of the twin, for nobody else. */
#ifndef WEFT_SWITCH_NAIVE_WALK_H
#define WEFT_SWITCH_NAIVE_WALK_H

#include "switch/naive_switch.h"
#include "switch/translate_ctx.h"

struct walk {
    struct naive_switch *sw;
    struct packet *pkt;
    bool is_dead;                 /* an edit failed: it is dropped here */
    bool exit;
    bool by_original;             /* the next lookup is of the first packet of
                                     the connection */
    bool is_copy;                 /* inside of a clone: its action set is lost */

    /* Values that the bytes do not carry, and which of them were written. */
    struct flow extra, written;

    uint8_t table, origin;
    be64 cookie;
    struct actions set;
    uint8_t set_table;            /* who wrote to it last */
    be64 set_cookie;
    unsigned int n_leaving;       /* ports in whose egress tables it is */
    uint32_t leaving[TRANSLATE_MAX_LEAVING];
    unsigned int n_stack;
    u128 stack[TRANSLATE_MAX_STACK];
};

bool walk_is_stopped(const struct walk *);
struct flow walk_flow(struct walk *);
uint32_t walk_in_port(struct walk *);
/* Calls `body` for a copy of the packet with an action set of its own. */
void walk_in_copy(struct walk *,
                  void (*body)(struct walk *, const void *aux),
                  const void *aux);

/* ---- Fields ---- */

u128 walk_get(struct walk *, enum field_id);
/* Does the packet have the field? */
bool walk_has(struct walk *, enum field_id);
/* What an edit of the packet returned. */
void walk_edit(struct walk *, bool done);
void walk_set(struct walk *, enum field_id, u128 value, u128 mask);
void walk_set_vlan(struct walk *, uint16_t tci, uint16_t mask);
u128 walk_get_sub(struct walk *, const struct subfield *);
void walk_set_sub(struct walk *, const struct subfield *, u128 value);

/* ---- naive_output.c ---- */

/* Returns what it noted, to be added to; NULL if the port wants no such. */
struct naive_output *walk_to_controller(struct walk *, uint16_t max_len,
                                        uint16_t id, uint8_t reason);
void walk_controller(struct walk *, const struct action_controller *);
void walk_output(struct walk *, uint32_t port, uint32_t max_len);

/* ---- naive_action.c ---- */

void walk_actions(struct walk *, struct action_list);

/* ---- naive_switch.c ---- */

/* Returns whether an entry of the first table matched. */
bool walk_table(struct walk *, uint8_t table, uint32_t in_port);
/* Is the packet in the egress tables because it leaves by that port? */
bool walk_is_leaving(const struct walk *, uint32_t port);
/* Goes on behind an action that ends the walk here: as a packet that reaches this
 * table, up to the end of its action set. */
void walk_from_table(struct walk *, uint8_t table);
/* Sends it through the egress tables with `output` as its action set. */
void walk_egress(struct walk *, const struct action_output *output);

#endif
