/* For tests of the store: a directory, a loop, a store, and waiting for it. */
#ifndef WEFT_STORE_STORE_LAB_H
#define WEFT_STORE_STORE_LAB_H

#include "store/store.h"

struct lab {
    char directory[64];
    char path[80];                /* of the store's file */
    uv_loop_t loop;
    struct store *store;          /* NULL: closed */
    unsigned int n_set_aside;
    char set_aside[128];          /* where the last one went */
    char reason[256];
    struct str error;             /* of lab_open() */
};

void lab_init(struct lab *);
/* Closes; removes the directory. */
void lab_fini(struct lab *);
int lab_open(struct lab *);
void lab_open_in_memory(struct lab *);
void lab_close(struct lab *);

/* Commits and waits.  Returns the result's err. */
int lab_put(struct lab *, const char *key, const char *value,
            uint64_t if_version);
int lab_delete(struct lab *, const char *key, uint64_t if_version);
int lab_commit(struct lab *, struct store_txn *);
/* Runs the loop until `*flag`. */
void lab_wait(struct lab *, const bool *flag);
/* Is it there, with that value? */
bool lab_has(const struct lab *, const char *key, const char *value);

#endif
