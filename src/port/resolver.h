/* The resolver's file of a container: resolv.conf(5) as its programs see it.
 *
 *     "web"       /etc/netns/web/resolv.conf, which `ip netns exec web` puts
 *                 over /etc/resolv.conf
 *     "pid:12"    /etc/resolv.conf below the root directory of the process,
 *                 unless that is this host's own file
 *     a path      as above when it is /run/netns/NAME or /proc/PID/ns/net;
 *                 nothing otherwise: from a namespace of networks alone nobody
 *                 can tell where its programs keep their files
 *
 * The file itself says whose it is and what was in it before ("# was: " lines),
 * so that it can be given back after any kind of end.  It is written in place:
 * who has it mounted somewhere sees the change.  A file that another port keeps
 * stays: the first one decides.  Helper only. */
#ifndef WEFT_PORT_RESOLVER_H
#define WEFT_PORT_RESOLVER_H

#include "lib/str.h"

/* `lines`: what is to be in the file. */
int resolver_set(const char *netns, const char *owner, const char *lines,
                 struct str *error);
/* Puts back what was there before `owner` came; nothing, if it has none. */
void resolver_restore(const char *netns, const char *owner);

/* The file's text as `owner` writes it over `old`, and what `old` was before it.
 * False: the file is another port's, or not the owner's. */
bool resolver_cover(const char *old, const char *owner, const char *lines,
                    struct str *result);
bool resolver_uncover(const char *old, const char *owner,
                      struct str *result);

#endif
