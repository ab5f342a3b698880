/* Peer certificate: who this host is to the others.
 *
 * A key (ECDSA, P-256) and a certificate that it signed itself, made when there
 * is none: one PEM file in the state directory, readable by its owner alone,
 * put there whole or not at all.  Nobody vouches for it: the others know it by its
 * SHA-256 fingerprint, which the operator copies into `hosts:`.  So its names
 * and its time mean nothing, and it has no end (RFC 5280, 4.1.2.5).
 *
 * A file that is there but cannot be read is never replaced: the others would
 * not know the new one.
 *
 * Immutable once it is open; one thread. */
#ifndef WEFT_PEER_PEER_CERTIFICATE_H
#define WEFT_PEER_PEER_CERTIFICATE_H

#include "lib/str.h"

struct evp_pkey_st;
struct x509_st;
struct peer_certificate;

enum {
    PEER_FINGERPRINT_SIZE = 32,
    PEER_FINGERPRINT_TEXT_SIZE = sizeof "sha256:" + 2 * PEER_FINGERPRINT_SIZE,
};

/* Reads `path`; makes it when it is not there.  `host` is for people who look
 * at it.  Negative errno with `error`. */
int peer_certificate_open(const char *path, const char *host,
                          struct peer_certificate **, struct str *error);
/* Accepts NULL. */
void peer_certificate_destroy(struct peer_certificate *);

const uint8_t *peer_certificate_fingerprint(const struct peer_certificate *);
/* Borrowed. */
struct evp_pkey_st *peer_certificate_key(const struct peer_certificate *);
struct x509_st *peer_certificate_x509(const struct peer_certificate *);

/* Of whatever certificate a peer showed.  False: out of memory. */
bool peer_fingerprint_of(const struct x509_st *,
                         uint8_t fingerprint[PEER_FINGERPRINT_SIZE]);
/* As `hosts:` has it: "sha256:9f86d0..". */
const char *peer_fingerprint_format(
    const uint8_t fingerprint[PEER_FINGERPRINT_SIZE],
    char text[PEER_FINGERPRINT_TEXT_SIZE]);

#endif
