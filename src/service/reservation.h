/* Which addresses are set aside for whom: found by address, and by who asks.
 *
 * lease.c keeps one index per table; its header says what a reservation is. */
#ifndef WEFT_SERVICE_RESERVATION_H
#define WEFT_SERVICE_RESERVATION_H

#include "lib/hmap.h"
#include "service/lease.h"

struct reservations {
    struct hash_key key;
    struct hmap by_addr;
    struct hmap by_who;           /* its port; else client; else MAC */
};

void reservations_init(struct reservations *, struct hash_key);
void reservations_fini(struct reservations *);

/* -EEXIST, -EINVAL as lease_reserve(). */
int reservations_insert(struct reservations *,
                        const struct lease_reservation *);
/* -ENOENT: there is none. */
int reservations_remove(struct reservations *, be32 addr);

/* NULL: none. */
const struct lease_reservation *
reservations_at(const struct reservations *, be32 addr);
/* By port before by client before by MAC; with a MAC before without. */
const struct lease_reservation *
reservations_for(const struct reservations *, const struct lease_holder *);

bool reservation_matches(const struct lease_reservation *,
                         const struct lease_holder *);
const struct lease_reservation *
reservations_next(const struct reservations *,
                  const struct lease_reservation *);
#define RESERVATIONS_FOR_EACH(R, ALL)                                        \
    for (const struct lease_reservation *R = NULL;                           \
         (R = reservations_next(ALL, R));)

#endif
