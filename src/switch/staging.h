/* Staging: what was changed and is not visible yet, and what becomes of the
 * rest.
 *
 * Everything that changes goes through here, entry by entry and object by object:
 * it gets its version, is noted for caches, and can be undone while a bundle is
 * open.
 *
 *     staged ---- publish ----> visible ---- removal staged, published ---->
 *        |                                                                 |
 *        +-- discard --> freed             a grace period: unlinked; another
 *                                          one: freed  <-------------------+
 *
 * There are two stages.  `open` takes changes.  When a bundle begins, what is in
 * it moves to `closed`, so that it can be published while the bundle grows, or
 * is undone piece by piece.
 *
 * Only the writer calls these. */
#ifndef WEFT_SWITCH_STAGING_H
#define WEFT_SWITCH_STAGING_H

#include "lib/rcu.h"
#include "switch/object_table.h"
#include "switch/tables.h"

enum {
    STAGING_MAX_CHANGES = 4096,   /* listed one by one at a publish */
    STAGING_GRAVE_TURN = 1024,    /* objects unlinked or freed at a time */
};

/* What is about to go. */
struct dying {
    enum dying_kind { DYING_ENTRY, DYING_GROUP, DYING_METER } kind;
    void *what;
    struct entry *successor;      /* entry: has the same id; NULL: none */
};

struct dying_list {
    struct dying *list;
    size_t n, size;
};

struct stage {
    uint64_t version;
    bool is_used;
    bool everything;              /* caches cannot tell what changed */
    struct dying_list dying;
    size_t n_changed, size_changed;
    struct entry **changed;       /* up to STAGING_MAX_CHANGES */
    bool overflowed;
    struct stage_events {         /* of all entries, while somebody watches */
        size_t n, size;
        struct stage_event {
            struct entry *entry;
            bool is_removal;
            struct table_origin origin;
        } *list;
    } events;
    uint64_t tables[4];           /* bitmap: which were changed at all */
};

/* Passes through two grace periods: unlink what it holds, then free it. */
struct grave {
    struct rcu_later later;
    _Atomic bool has_passed;
    bool is_unlinked;
    struct dying_list dying;
    size_t pos;
    struct grave *next;
};

struct undo {
    enum { UNDO_ADD_ENTRY, UNDO_REMOVE_ENTRY, UNDO_ADD_OBJECT,
           UNDO_REMOVE_OBJECT } kind;
    enum dying_kind object;       /* DYING_GROUP or DYING_METER */
    void *what;
};

struct staging {
    _Atomic uint64_t visible;
    struct stage open, closed;
    bool has_bundle;
    bool is_watched;
    struct table_origin origin;
    struct undo *undo;
    size_t n_undo, size_undo;
    struct dying_list undone;     /* freed with the last of it */
    struct grave *graves;         /* oldest first */
    struct grave **last_grave;
    /* Of the last publish, for its caller. */
    struct table_change *changes;
    struct match *matches;
    size_t size_changes;
};

void staging_init(struct staging *);
void staging_fini(struct tables *);

/* An entry takes the place of another one, which may be NULL. */
void staging_replaces(const struct tables *, struct entry *,
                      const struct entry *old);
/* Adds an entry that is complete but for its version. */
void staging_add_entry(struct tables *, struct entry *);
/* `successor`: NULL, or what takes its id over. */
void staging_remove_entry(struct tables *, struct entry *,
                          unsigned int reason, struct entry *successor);

/* Its timer fired: removes it, unless it was used meanwhile. */
void staging_expire_entry(struct tables *, struct entry *, msec now);
/* At the end, when nobody reads any more: frees an entry at once. */
void staging_drop_entry(struct tables *, struct entry *);

void staging_add_object(struct tables *, enum dying_kind, struct object *);
void staging_remove_object(struct tables *, enum dying_kind, struct object *);

/* Caches must ask anew for everything. */
void staging_touch_everything(struct tables *);

void staging_begin(struct tables *);
void staging_commit(struct tables *);
/* Undoes at most `budget` changes; false: there are more. */
bool staging_discard(struct tables *, size_t budget);
bool staging_pending(const struct tables *);
void staging_publish(struct tables *, struct table_changes *);

/* Goes on with what waits to be freed; bounded work. */
void staging_bury(struct tables *, size_t budget);

#endif
