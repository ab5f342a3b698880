/* Streams: bytes over a connected descriptor, as they are or by TLS.
 *
 * Non-blocking throughout.  A TLS stream shakes hands first: until
 * of_stream_is_ready() nothing is read or written, and the descriptor is to be
 * watched for what of_stream_wants() says.
 *
 * Reading and writing return a number of bytes, -EAGAIN, or another negative
 * errno for the end: of_stream_reason() says why, in words for an operator. */
#ifndef WEFT_OPENFLOW_STREAM_H
#define WEFT_OPENFLOW_STREAM_H

#include <sys/types.h>

#include "lib/str.h"
#include "openflow/tls.h"

enum of_events { OF_READ = 1, OF_WRITE = 2 };

enum { OF_REASON_SIZE = 160 };

struct of_stream;
struct x509_st;

/* Takes the descriptor over.  `tls` NULL: plain.  NULL: out of memory. */
struct of_stream *of_stream_create(int fd, struct of_tls *tls,
                                   bool is_server);
void of_stream_destroy(struct of_stream *);

int of_stream_fd(const struct of_stream *);
/* Goes on shaking hands.  0: done; -EAGAIN: it waits for of_stream_wants();
 * else the end. */
int of_stream_shake_hands(struct of_stream *);
bool of_stream_is_ready(const struct of_stream *);
/* While shaking hands: enum of_events. */
unsigned int of_stream_wants(const struct of_stream *);

ssize_t of_stream_read(struct of_stream *, void *buf, size_t size);
ssize_t of_stream_write(struct of_stream *, const void *data, size_t len);
/* Are there bytes that came already, so that the descriptor does not become
 * readable for them? */
bool of_stream_has_pending(const struct of_stream *);

const char *of_stream_reason(const struct of_stream *);
/* How it is protected and who the peer is by its certificate: "TLSv1.3,
 * CN=controller"; false when it is plain. */
bool of_stream_describe(const struct of_stream *, struct str *);
/* The certificate that the peer showed, borrowed; NULL: none yet. */
const struct x509_st *of_stream_peer(const struct of_stream *);

#endif
