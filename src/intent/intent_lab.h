/* What tests of intents share. */
#ifndef WEFT_INTENT_INTENT_LAB_H
#define WEFT_INTENT_INTENT_LAB_H

#include "intent/parse.h"

/* The set that the text says, sealed; it must be right. */
struct intent *lab_sealed(const char *text);

/* Exactly that is said about a file 't' of that text; "": it is right.  With
 * WEFT_WRITE_CORPUS in the environment, the text is written to that folder:
 * what fuzzing starts from. */
void lab_check_said(const char *text, const char *expected);
/* About a file with these rows of networks, and uplinks lan (eth1) and wan (the
 * host's).  They begin in line 6. */
void lab_network_said(const char *rows, const char *expected);
/* With these rows of ports, and networks a (10.1.0.0/24), b (the same, and
 * fd00::/64) and bare (no subnet).  They begin in line 7. */
void lab_port_said(const char *rows, const char *expected);
/* With these rows of uplinks, from line 3 on. */
void lab_uplink_said(const char *rows, const char *expected);
/* Of routers, from line 9 on, beside networks blue (10.1.0.0/24), red
 * (10.2.0.0/24, fd00:2::/64), twin (10.1.0.0/16), six (fd00:2::/32) and bare. */
void lab_router_said(const char *rows, const char *expected);

#endif
