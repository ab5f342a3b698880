#include "openflow/tls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRIVATE_KEY, CERTIFICATE, CA_CERT, N_FILES };

struct of_tls {
    char *paths[N_FILES];
    struct stat read[N_FILES];    /* as they were tried last; zero: missing */
    SSL_CTX *ctx;
    bool checks_address;
};

/* Nobody is there to be asked for one. */
static int
no_passphrase(char *buf UNUSED, int size UNUSED, int is_write UNUSED,
              void *aux UNUSED)
{
    return -1;
}

/* Why OpenSSL refused; its queue of errors is empty afterwards. */
static const char *
last_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);

    ERR_clear_error();
    return text ? text : "it cannot be understood";
}

SSL_CTX *
of_tls_new_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx) {
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER
                                    | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION
                                     | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        /* The queue of what is sent may move while some of it waits. */
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                                  | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    }
    return ctx;
}

/* The operator should hear of the file system's reason, not of OpenSSL's. */
static int
check_readable(const char *path, struct stat *st, struct str *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int err = 0;

    memset(st, 0, sizeof *st);
    if (fd < 0 || fstat(fd, st)) {
        err = -errno;
        str_setf(error, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(st->st_mode)) {
        err = -EINVAL;
        str_setf(error, "%s: not a file", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

static int
load(SSL_CTX *ctx, char *const *paths, struct str *error)
{
    STACK_OF(X509_NAME) *names;

    if (SSL_CTX_use_certificate_chain_file(ctx, paths[CERTIFICATE]) != 1) {
        str_setf(error, "%s: no certificate: %s", paths[CERTIFICATE],
                 last_reason());
        return -EINVAL;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, paths[PRIVATE_KEY], SSL_FILETYPE_PEM)
        != 1) {
        unsigned long code = ERR_peek_error();

        str_setf(error, ERR_GET_LIB(code) == ERR_LIB_X509
                     && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH
                     ? "%s: not the key of the certificate: %s"
                     : "%s: no private key without a passphrase: %s",
                 paths[PRIVATE_KEY], last_reason());
        return -EINVAL;
    }
    names = SSL_load_client_CA_file(paths[CA_CERT]);
    if (!names || SSL_CTX_load_verify_file(ctx, paths[CA_CERT]) != 1) {
        str_setf(error, "%s: no certificate: %s", paths[CA_CERT],
                 last_reason());
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return -EINVAL;
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    return 0;
}

static int
read_files(struct of_tls *tls, struct str *error)
{
    SSL_CTX *ctx;
    int err = 0;

    for (unsigned int i = 0; i < N_FILES; i++) {
        int bad = check_readable(tls->paths[i], &tls->read[i],
                                 err ? NULL : error);

        err = err ? err : bad;
    }
    if (err) {
        return err;
    }
    ERR_clear_error();
    ctx = of_tls_new_context();
    if (!ctx) {
        str_setf(error, "OpenSSL: %s", last_reason());
        return -ENOMEM;
    }
    err = load(ctx, tls->paths, error);
    if (err) {
        SSL_CTX_free(ctx);
        return err;
    }
    SSL_CTX_free(tls->ctx);
    tls->ctx = ctx;
    return 0;
}

struct of_tls *
of_tls_create(const struct of_tls_files *files, struct str *error)
{
    struct of_tls *tls = xzalloc(sizeof *tls);

    tls->paths[PRIVATE_KEY] = xstrdup(files->private_key);
    tls->paths[CERTIFICATE] = xstrdup(files->certificate);
    tls->paths[CA_CERT] = xstrdup(files->ca_cert);
    tls->checks_address = files->checks_address;
    if (read_files(tls, error)) {
        of_tls_destroy(tls);
        return NULL;
    }
    return tls;
}

struct of_tls *
of_tls_adopt(SSL_CTX *ctx)
{
    struct of_tls *tls = xzalloc(sizeof *tls);

    tls->ctx = ctx;
    return tls;
}

void
of_tls_destroy(struct of_tls *tls)
{
    if (tls) {
        for (unsigned int i = 0; i < N_FILES; i++) {
            free(tls->paths[i]);
        }
        SSL_CTX_free(tls->ctx);
        free(tls);
    }
}

/* A file that is written in place has another time, one that was put in its
 * place is another file. */
static bool
is_changed(const struct of_tls *tls)
{
    for (unsigned int i = 0; i < N_FILES; i++) {
        const struct stat *was = &tls->read[i];
        struct stat st;

        if (stat(tls->paths[i], &st)) {
            memset(&st, 0, sizeof st);
        }
        if (st.st_ino != was->st_ino || st.st_dev != was->st_dev
            || st.st_size != was->st_size
            || st.st_mtim.tv_sec != was->st_mtim.tv_sec
            || st.st_mtim.tv_nsec != was->st_mtim.tv_nsec) {
            return true;
        }
    }
    return false;
}

int
of_tls_refresh(struct of_tls *tls, struct str *error)
{
    return tls->paths[0] && is_changed(tls) ? read_files(tls, error) : 0;
}

/* The peer's certificate must be for the address that it is at. */
static bool
ask_for_address(SSL *ssl, int fd)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage storage;
    } peer;
    socklen_t len = sizeof peer;

    if (getpeername(fd, &peer.any, &len)) {
        return true;              /* it is gone: the handshake will tell */
    }
    if (peer.any.sa_family == AF_INET) {
        return X509_VERIFY_PARAM_set1_ip(
                   param, (const void *) &peer.in.sin_addr, 4) == 1;
    }
    return peer.any.sa_family != AF_INET6
           || X509_VERIFY_PARAM_set1_ip(
                  param, (const void *) &peer.in6.sin6_addr, 16) == 1;
}

SSL *
of_tls_open(struct of_tls *tls, int fd, bool is_server)
{
    SSL *ssl = SSL_new(tls->ctx);

    if (!ssl || SSL_set_fd(ssl, fd) != 1
        || (tls->checks_address && !is_server && !ask_for_address(ssl, fd))) {
        SSL_free(ssl);
        return NULL;
    }
    if (is_server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    return ssl;
}
