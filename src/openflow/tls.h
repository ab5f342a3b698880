/* TLS for OpenFlow connections: who we are, and whom we trust.
 *
 * Both ends show certificates, in TLS 1.2 and 1.3 and whichever end connects:
 * one that shows none, or one that our certificate authority did not sign, is
 * refused.  Names in certificates are not compared with addresses: whoever the
 * authority signed is let in, as is usual between switches and controllers.
 * Unless `checks_address`: then whom we connect to must show a certificate for
 * the address that it was found at.  (Who comes to us may come from anywhere.)
 *
 * The three files are PEM.  They are read again when one of them changed, so
 * that renewing a certificate needs no restart; what cannot be read leaves the
 * old ones in force.
 *
 * Others who trust otherwise (peer/) bring an OpenSSL context of their own.
 *
 * Owned by one thread. */
#ifndef WEFT_OPENFLOW_TLS_H
#define WEFT_OPENFLOW_TLS_H

#include "lib/str.h"

struct of_tls_files {
    const char *private_key, *certificate, *ca_cert;
    bool checks_address;
};

struct of_tls;
struct ssl_st;
struct ssl_ctx_st;

/* NULL with `error`: which file, and why. */
struct of_tls *of_tls_create(const struct of_tls_files *, struct str *error);
void of_tls_destroy(struct of_tls *);

/* Sets up a context as every one of ours is: both ends show certificates, no
 * session is resumed.  NULL: out of memory. */
struct ssl_ctx_st *of_tls_new_context(void);
/* Of a context that is complete; takes it over. */
struct of_tls *of_tls_adopt(struct ssl_ctx_st *);

/* Looks whether the files changed, for connections from now on.  Negative errno
 * when they cannot be used: `error` has file and reason, said once. */
int of_tls_refresh(struct of_tls *, struct str *error);

/* A session on a connected descriptor, for openflow/stream.c.  NULL: out of
 * memory. */
struct ssl_st *of_tls_open(struct of_tls *, int fd, bool is_server);

#endif
