#include "openflow/stream.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct of_stream {
    int fd;
    SSL *ssl;                     /* NULL: plain */
    bool is_ready;
    bool is_over;                 /* after this OpenSSL may not be asked */
    char reason[OF_REASON_SIZE];
};

struct of_stream *
of_stream_create(int fd, struct of_tls *tls, bool is_server)
{
    struct of_stream *stream = xzalloc(sizeof *stream);

    stream->fd = fd;
    stream->is_ready = !tls;
    if (tls) {
        stream->ssl = of_tls_open(tls, fd, is_server);
        if (!stream->ssl) {
            of_stream_destroy(stream);
            return NULL;
        }
    }
    return stream;
}

void
of_stream_destroy(struct of_stream *stream)
{
    if (stream) {
        if (stream->ssl && stream->is_ready && !stream->is_over) {
            SSL_shutdown(stream->ssl);
        }
        SSL_free(stream->ssl);
        close(stream->fd);
        free(stream);
    }
}

int
of_stream_fd(const struct of_stream *stream)
{
    return stream->fd;
}

bool
of_stream_is_ready(const struct of_stream *stream)
{
    return stream->is_ready;
}

unsigned int
of_stream_wants(const struct of_stream *stream)
{
    return stream->ssl && SSL_want_write(stream->ssl) ? OF_WRITE : OF_READ;
}

const char *
of_stream_reason(const struct of_stream *stream)
{
    return stream->reason;
}

/* ---- What went wrong, in words ---- */

static int
is_over(struct of_stream *stream, const char *reason)
{
    stream->is_over = true;
    snprintf(stream->reason, sizeof stream->reason, "%s", reason);
    return -ECONNRESET;
}

/* Errors that a peer or an operator can do something about have words of their
 * own. */
static int
explain(struct of_stream *stream, unsigned long code)
{
    long verified = SSL_get_verify_result(stream->ssl);
    int reason = ERR_GET_REASON(code);
    struct str text = STR_INIT;
    const char *words;

    if (ERR_GET_LIB(code) == ERR_LIB_SSL
        && reason == SSL_R_CERTIFICATE_VERIFY_FAILED
        && verified != X509_V_OK) {
        str_addf(&text, "the peer's certificate is refused: %s",
                 X509_verify_cert_error_string(verified));
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL
               && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        str_add(&text, "the peer showed no certificate");
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL
               && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        str_add(&text, "the peer closed the connection");
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL
               && (reason == SSL_R_WRONG_VERSION_NUMBER
                   || reason == SSL_R_HTTP_REQUEST)) {
        str_add(&text, "the peer does not speak TLS");
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL
               && reason >= SSL_AD_REASON_OFFSET) {
        str_addf(&text, "the peer refused us by TLS: %s",
                 SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    } else {
        words = ERR_reason_error_string(code);
        str_addf(&text, "TLS: %s", words ? words : "unknown error");
    }
    is_over(stream, str_text(&text));
    str_fini(&text);
    return -EPROTO;
}

/* What OpenSSL's answer `ret` means; a positive one is passed on. */
static int
result_of(struct of_stream *stream, int ret)
{
    int sys = errno;
    unsigned long code;

    if (ret > 0) {
        return ret;
    }
    switch (SSL_get_error(stream->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return is_over(stream, "the peer closed the connection");
    default:
        /* The first error is the cause, those behind it are where it went. */
        code = ERR_peek_error();
        if (code) {
            return explain(stream, code);
        }
        return is_over(stream, sys ? strerror(sys)
                                   : "the peer closed the connection");
    }
}

/* OpenSSL looks at what others left in this thread's queue of errors. */
static void
begin_call(void)
{
    ERR_clear_error();
    errno = 0;
}

int
of_stream_shake_hands(struct of_stream *stream)
{
    int ret;

    if (stream->is_ready) {
        return 0;
    }
    begin_call();
    ret = result_of(stream, SSL_do_handshake(stream->ssl));
    stream->is_ready = ret > 0;
    return MIN(ret, 0);
}

/* ---- Bytes ---- */

static ssize_t
plain_result(struct of_stream *stream, ssize_t n)
{
    if (n >= 0) {
        return n;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return -EAGAIN;
    }
    return is_over(stream, strerror(errno));
}

ssize_t
of_stream_read(struct of_stream *stream, void *buf, size_t size)
{
    ssize_t n;

    if (!stream->is_ready) {
        return -EAGAIN;
    }
    if (stream->ssl) {
        begin_call();
        return result_of(stream, SSL_read(stream->ssl, buf,
                                          (int) MIN(size, (size_t) INT_MAX)));
    }
    n = plain_result(stream, recv(stream->fd, buf, size, MSG_DONTWAIT));
    return n ? n : is_over(stream, "the peer closed the connection");
}

/* Who refuses us says so and hangs up: what we send then fails before its reason
 * was read. */
static int
tls_write(struct of_stream *stream, const void *data, size_t len)
{
    int n;
    uint8_t byte;

    begin_call();
    n = result_of(stream, SSL_write(stream->ssl, data,
                                    (int) MIN(len, (size_t) INT_MAX)));
    if (n < 0 && n != -EAGAIN) {
        begin_call();
        if (SSL_read(stream->ssl, &byte, 1) <= 0 && ERR_peek_error()) {
            explain(stream, ERR_peek_error());
        }
    }
    return n;
}

ssize_t
of_stream_write(struct of_stream *stream, const void *data, size_t len)
{
    if (!stream->is_ready) {
        return -EAGAIN;
    }
    if (stream->ssl) {
        return tls_write(stream, data, len);
    }
    return plain_result(stream, send(stream->fd, data, len,
                                     MSG_NOSIGNAL | MSG_DONTWAIT));
}

bool
of_stream_has_pending(const struct of_stream *stream)
{
    return stream->ssl && stream->is_ready && !stream->is_over
           && SSL_pending(stream->ssl) > 0;
}

bool
of_stream_describe(const struct of_stream *stream, struct str *out)
{
    X509 *peer;
    char *name;

    if (!stream->ssl) {
        return false;
    }
    str_add(out, stream->is_ready ? SSL_get_version(stream->ssl) : "TLS");
    peer = SSL_get0_peer_certificate(stream->ssl);
    name = peer ? X509_NAME_oneline(X509_get_subject_name(peer), NULL, 0)
                : NULL;
    if (name) {
        str_addf(out, ", %s", name);
        OPENSSL_free(name);
    }
    return true;
}

const X509 *
of_stream_peer(const struct of_stream *stream)
{
    return stream->ssl ? SSL_get0_peer_certificate(stream->ssl) : NULL;
}
