/* What this switch was told: flow tables, groups and meters, by version.
 *
 * One writer (the switch thread) changes them; forwarding workers read them
 * while translating a miss, under RCU (QSBR), without locks.
 *
 * Versions.  A change is staged first and becomes visible by tables_publish(),
 * all at once: an entry is seen by a reader of version v when
 * add_version <= v < remove_version.  A translation reads the current version
 * once and passes it to every lookup, so that it never sees half of a bundle.
 * What is removed is freed after a grace period.
 *
 * A bundle is staged between tables_begin() and tables_commit() or
 * tables_discard(); without one, each request is staged by itself and everything
 * staged becomes visible at the next publish.
 *
 * The writer's view is always the newest staged state. */
#ifndef WEFT_SWITCH_TABLES_H
#define WEFT_SWITCH_TABLES_H

#include <stdatomic.h>

#include "openflow/flow_mod.h"

enum { N_TABLES = OFPTT_MAX + 1, TABLES_MAX_GROUPS = 65536 };

/* Counters are pushed by the revalidator, from any thread. */
struct credit {
    _Atomic uint64_t packets;
    _Atomic uint64_t bytes;
    _Atomic msec used;                  /* last use; created at first */
};

/* Constant once visible, but for the credit. */
struct flow_entry {
    uint64_t id;                        /* never used again for another */
    uint8_t table;
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout, importance;
    uint16_t flags;                     /* enum flow_mod_flags */
    uint32_t stamp;                     /* another one when anything but the
                                           timeouts changes */
    be64 cookie;
    msec created;                       /* hard timeout counts from here */
    msec modified;
    struct instructions instructions;   /* lists owned by the entry */
    struct credit credit;
};

/* Rebuilds the full match from the stored compressed form. */
void flow_entry_match(const struct flow_entry *, struct match *);
/* The flow-mod (add) that would make it: for lists, trace and saving. */
void flow_entry_format(const struct flow_entry *,
                       const struct flow_text_names *, struct str *);

/* Why an entry went. */
enum flow_removed_reason { REMOVED_IDLE_TIMEOUT, REMOVED_HARD_TIMEOUT,
                           REMOVED_DELETE, REMOVED_GROUP_DELETE,
                           REMOVED_METER_DELETE, REMOVED_EVICTION };

struct group {
    uint32_t id;
    enum group_type type;
    unsigned int n_buckets;
    struct group_bucket {
        uint32_t id;
        uint16_t weight;
        uint32_t watch_port, watch_group;
        struct action_list actions;     /* owned by the group */
        struct credit *credit;          /* the bucket's counters: survive a
                                           modify that keeps the bucket id */
    } *buckets;
    struct group_selection selection;
    struct credit *credit;
    msec created;
};

/* Identity and configuration; the token buckets are the data path's. */
struct meter {
    uint32_t id;
    unsigned int flags;                 /* enum meter_flags */
    unsigned int n_bands;
    struct meter_band bands[METER_MAX_BANDS];
    msec created;
};

struct tables;

/* What a publish changed, for the caches: an entry translated before may be
 * wrong if it looked into `table` and can hold packets of `match`. */
struct table_change {
    uint8_t table;
    const struct match *match;          /* NULL: anything in this table */
};
struct table_changes {
    uint64_t version;                   /* that is visible now */
    bool everything;                    /* too many to list, groups changed...*/
    unsigned int n;
    struct table_change *list;
};

/* What one table takes: table_limit.h. */
struct table_policy {
    uint32_t max_entries;               /* 0: as many as all tables together */
    bool evicts;                        /* when full; else it refuses */
    bool tells_vacancy;
    uint8_t vacancy_down, vacancy_up;   /* percent */
};

/* Whose request a change is, as far as the caller tells. */
struct table_origin {
    uint64_t who;                       /* 0: nobody's */
    uint64_t request;                   /* its number */
    uint32_t xid;
};

/* What became of one entry, told at the publish that makes it visible, in the
 * order of the requests. */
struct table_event {
    enum table_event_kind { ENTRY_ADDED, ENTRY_REMOVED, ENTRY_MODIFIED } kind;
    const struct flow_entry *entry;
    enum flow_removed_reason reason;    /* of removed ones */
    struct table_origin origin;
};

struct tables_config {
    uint32_t max_entries;               /* in all tables; default 2M */
    /* An entry went (called by the writer, before it is freed). */
    void (*removed)(void *aux, const struct flow_entry *,
                    enum flow_removed_reason);
    /* Something happened to an entry, while tables_watch() is on. */
    void (*changed)(void *aux, const struct table_event *);
    /* The counters of an entry crossed a threshold (stat_trigger.h). */
    void (*triggered)(void *aux, const struct flow_entry *);
    /* A table got tight, or has room again. */
    void (*vacancy)(void *aux, uint8_t table, bool is_tight);
    /* Does this output port exist?  NULL: any. */
    bool (*port_exists)(void *aux, uint32_t port);
    void *aux;
};

struct tables *tables_create(const struct tables_config *);
void tables_destroy(struct tables *);

/* ---- Writer ---- */

enum of_error tables_flow_mod(struct tables *, const struct flow_mod *,
                              msec now, struct str *why);
enum of_error tables_group_mod(struct tables *, const struct group_mod *,
                               msec now, struct str *why);
enum of_error tables_meter_mod(struct tables *, const struct meter_mod *,
                               msec now, struct str *why);
/* The groups and meters that actions name must exist, and their ports be
 * possible. */
enum of_error tables_check_actions(const struct tables *, struct action_list,
                                   struct str *why);
/* The entry, in the newest staged state, that a strict modify or delete of this
 * request's match and priority in its table is about; NULL: none. */
const struct flow_entry *tables_find(struct tables *,
                                     const struct flow_mod *);
/* Takes effect at once, for entries to come.  A table that tells of its vacancy
 * begins anew to. */
void tables_set_policy(struct tables *, uint8_t table,
                       const struct table_policy *);
const struct table_policy *tables_policy(const struct tables *,
                                         uint8_t table);
/* With the maximum of all tables where it has none of its own. */
uint32_t tables_max_entries(const struct tables *, uint8_t table);
uint32_t tables_max_of_all(const struct tables *);
/* Percent of its places that are free. */
uint8_t tables_vacancy(const struct tables *, uint8_t table);
/* The first egress table, N_TABLES for none, from the next publish on; nothing
 * may be staged.  Refused when it is not how entries stand. */
enum of_error tables_set_first_egress(struct tables *, unsigned int table);
/* Turns the calls of `changed` on or off; publish before. */
void tables_watch(struct tables *, bool);
/* Of the requests from now on. */
void tables_set_origin(struct tables *, const struct table_origin *);
/* One bundle at a time may be staged (others wait as plain requests in
 * openflow/).  commit stages all or, with the first error, nothing. */
void tables_begin(struct tables *);
void tables_commit(struct tables *);
void tables_discard(struct tables *);
/* The same in pieces, of at most `budget` changes: false until it is done. */
bool tables_discard_some(struct tables *, size_t budget);
/* Between begin and the end of commit or discard?  Nothing expires then, and
 * whatever is staged belongs to the bundle. */
bool tables_has_bundle(const struct tables *);

/* An entry's timeouts come down to these (0: stay).  False: nothing changed. */
bool tables_reduce_timeouts(struct tables *, uint64_t id,
                            uint16_t idle_timeout, uint16_t hard_timeout);

/* Is anything staged that is not visible yet? */
bool tables_pending(const struct tables *);
/* Makes it visible and tells what changed; `changes` stays valid until the next
 * call.  The caller then invalidates caches (datapath_invalidate). */
void tables_publish(struct tables *, struct table_changes *changes);

/* Removes entries whose time is up (staged: publish afterwards); bounded work.
 * Returns when to call again. */
msec tables_expire(struct tables *, msec now);

/* Looks for counters that crossed a threshold; bounded work.  Returns when to
 * call again. */
msec tables_look_at_triggers(struct tables *, msec now);

/* ---- Readers, under RCU ---- */

uint64_t tables_version(const struct tables *);
unsigned int tables_first_egress(const struct tables *, uint64_t version);

/* The entry of highest priority that matches, or NULL; marks in `wc` every bit
 * that the answer depended on.  NULL `wc`: nobody asks. */
const struct flow_entry *
tables_lookup(const struct tables *, uint8_t table, uint64_t version,
              const struct flow *, struct flow_mask *wc);
/* The same, and which conjunction led there, if one did (conjunction.h): an
 * entry of each clause. */
struct conjunction {
    uint32_t id;
    unsigned int n_entries;             /* 0: none */
    uint64_t entries[CONJUNCTION_MAX_CLAUSES];
};
const struct flow_entry *
tables_lookup_conjunction(const struct tables *, uint8_t table,
                          uint64_t version, const struct flow *,
                          struct flow_mask *wc, struct conjunction *);
const struct group *tables_group(const struct tables *, uint32_t id,
                                 uint64_t version);
const struct meter *tables_meter(const struct tables *, uint32_t id);
/* Writer thread: how many entries and groups name it. */
uint32_t tables_group_users(const struct tables *, uint32_t id);
uint32_t tables_meter_users(const struct tables *, uint32_t id);
/* By entry id, also when it is being removed; NULL when gone.  For credits. */
struct flow_entry *tables_entry(const struct tables *, uint64_t id);
bool tables_entry_is_visible(const struct flow_entry *, uint64_t version);
/* What makes an entry anew refreshes it: both its timeouts begin again. */
void tables_refresh(const struct flow_entry *, msec now);
/* How many entries with the cookie the table has; the writer may ask for the
 * newest state.  Known, and else looked for, where an entry learns such with a
 * limit. */
#define TABLES_NEWEST (UINT64_MAX - 1)
uint32_t tables_count_cookie(const struct tables *, uint8_t table,
                             be64 cookie, uint64_t version);

/* Per-table statistics. */
struct table_stats {
    uint32_t n_entries;                 /* as the writer sees it */
    uint32_t n_visible;                 /* at the last publish */
    _Atomic uint64_t lookups, matched;
};
struct table_stats *tables_stats(const struct tables *, uint8_t table);

/* ---- Lists: writer thread, or under RCU (then changes may be missed) ---- */

typedef bool flow_entry_visit(void *aux, const struct flow_entry *);
/* Visits visible entries until `visit` returns false; table OFPTT_ALL: all, in
 * order of table, falling priority, then age.  `match` NULL: any; else the
 * non-strict rule. */
void tables_visit(const struct tables *, uint8_t table,
                  const struct match *, flow_entry_visit *, void *aux);
typedef bool group_visit(void *aux, const struct group *);
void tables_visit_groups(const struct tables *, group_visit *, void *aux);
typedef bool meter_visit(void *aux, const struct meter *);
void tables_visit_meters(const struct tables *, meter_visit *, void *aux);

/* Bytes of memory behind the entries, for `weft switch show`. */
size_t tables_memory(const struct tables *);

#endif
