/* Peer TLS: who we are to other hosts, and which of them we let in.
 *
 * TLS 1.3, certificates from both ends; a certificate is judged by its SHA-256
 * fingerprint alone (peer_certificate.h).
 *
 * One thread. */
#ifndef WEFT_PEER_PEER_TLS_H
#define WEFT_PEER_PEER_TLS_H

#include "openflow/tls.h"
#include "peer/peer_certificate.h"

/* Is it some host's that we know? */
typedef bool peer_knows(const void *aux,
                        const uint8_t fingerprint[PEER_FINGERPRINT_SIZE]);

/* For streams (openflow/stream.h).  `aux` outlives it.  NULL with `error`. */
struct of_tls *peer_tls_create(const struct peer_certificate *, peer_knows *,
                               const void *aux, struct str *error);

#endif
