/* Values of port options, for classes that have more than a device to open.
 *
 * Each looks up `key`; when it is not given, the result keeps its default.  What
 * does not parse or is out of range is -EINVAL with a sentence in `error`. */
#ifndef WEFT_PORT_OPTIONS_H
#define WEFT_PORT_OPTIONS_H

#include "port/port.h"

/* "yes", "no". */
int option_bool(const struct port *, const char *key, bool *, struct str *);
int option_number(const struct port *, const char *key, uint64_t min,
                  uint64_t max, uint64_t *, struct str *);
/* "10ms", "250us", "1.5s"; at most 1000s. */
int option_time(const struct port *, const char *key, usec *, struct str *);
/* "1%", "0.05%": as a share of 2^32. */
int option_percent(const struct port *, const char *key, uint64_t *,
                   struct str *);
/* An Ethernet address. */
int option_eth(const struct port *, const char *key, struct eth_addr *,
               struct str *);

#endif
