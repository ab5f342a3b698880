/* A flow entry as the tables keep it.
 *
 * One allocation holds it all:
 *
 *     struct entry | masked words of the match | timer? | trigger? | references
 *     | actions
 *
 * The mask is the tuple's, shared by all entries that mask the same bits.
 *
 * Life cycle.  Made by the writer, put into the classifier (invisible), visible
 * from add_version on, until remove_version; unlinked from the classifier a grace
 * period after that version was published, freed another one later.  A modified
 * entry is a new object with the same id. */
#ifndef WEFT_SWITCH_FLOW_ENTRY_H
#define WEFT_SWITCH_FLOW_ENTRY_H

#include "lib/timer_wheel.h"
#include "switch/mask_words.h"
#include "switch/stat_trigger.h"
#include "switch/tables.h"

#define VERSION_NEVER UINT64_MAX

struct tuple;
struct entry;

/* An entry that names a group or a meter is on that one's list, for as long as
 * it is alive for the writer. */
struct entry_ref {
    struct entry_ref *next;
    struct entry_ref **link;            /* what points to us; NULL: no list */
    struct entry *entry;
    uint32_t id;
    bool is_meter;
};

struct entry_timer {
    struct timer timer;
    struct entry *entry;
    _Atomic msec refreshed;             /* the hard timeout counts from here, if
                                           that is later than its creation */
};

struct entry {
    struct flow_entry e;
    uint64_t add_version;
    _Atomic uint64_t remove_version;
    struct tuple *tuple;
    _Atomic(struct entry *) next;       /* same match, lower priority (or the
                                           same, removed) */
    /* What a lookup reads lies close together. */
    uint16_t priority;
    uint16_t n_refs;
    bool has_timer;
    uint8_t reason;                     /* why it was removed; enum
                                           flow_removed_reason and below */
    bool is_clause : 1;                 /* of a conjunction */
    bool is_teacher : 1;                /* what it taught goes with it, or
                                           is counted */
    bool is_modified : 1;               /* made by a modify */
    bool continues : 1;                 /* something visible was replaced */
    bool has_trigger : 1;
    uint8_t pad;
    uint64_t values[];
};

/* Besides enum flow_removed_reason: nobody is told.  Replaced by one that keeps
 * its counters, or by one that does not. */
enum { REMOVED_RESET = 0xfe, REMOVED_REPLACED = 0xff };

/* An entry of `tuple` with the masked words `values`; everything else but the
 * instructions is zero.  Lists are copied.  They name at most UINT16_MAX groups
 * and meters. */
struct entry *entry_create(struct tuple *, const uint64_t *values,
                           const struct instructions *, bool has_timer);
void entry_destroy(struct entry *);
size_t entry_size(const struct entry *);

struct entry_ref *entry_refs(struct entry *);
/* NULL: it has none. */
struct stat_trigger *entry_trigger(struct entry *);
/* NULL: it never times out. */
struct timer *entry_timer(struct entry *);
struct entry *entry_of_timer(struct timer *);
/* Of an entry that has a timer. */
_Atomic msec *entry_refreshed(struct entry *);

static inline struct entry *
entry_cast(const struct flow_entry *e)
{
    return (struct entry *) (uintptr_t) e;
}

static inline bool
entry_visible(const struct entry *entry, uint64_t version)
{
    return entry->add_version <= version &&
           version < atomic_load_explicit(&entry->remove_version,
                                          memory_order_acquire);
}

/* For the writer: is it in the newest staged state? */
static inline bool
entry_alive(const struct entry *entry)
{
    return atomic_load_explicit(&entry->remove_version,
                                memory_order_relaxed) == VERSION_NEVER;
}

/* Does an action list (nested ones too) send to this port or group? */
bool action_list_outputs(struct action_list, uint32_t port);
bool action_list_groups(struct action_list, uint32_t group);

/* Does it learn what is to go when it goes itself, or with a limit? */
bool action_list_teaches(struct action_list);

/* Calls `use` for each group and meter that the actions name. */
void action_list_uses(struct action_list,
                      void (*use)(void *aux, uint32_t id, bool is_meter),
                      void *aux);
void instructions_uses(const struct instructions *,
                       void (*use)(void *aux, uint32_t id, bool is_meter),
                       void *aux);

#endif
