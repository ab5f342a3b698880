#include "peer/peer_certificate.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIAL_BITS = 127 };       /* at most 20 bytes, and positive */

struct peer_certificate {
    EVP_PKEY *key;
    X509 *x509;
    uint8_t fingerprint[PEER_FINGERPRINT_SIZE];
};

/* ---- fingerprints ---- */

bool
peer_fingerprint_of(const X509 *x509,
                    uint8_t fingerprint[PEER_FINGERPRINT_SIZE])
{
    unsigned int size = PEER_FINGERPRINT_SIZE;

    return X509_digest(x509, EVP_sha256(), fingerprint, &size) == 1;
}

const char *
peer_fingerprint_format(const uint8_t fingerprint[PEER_FINGERPRINT_SIZE],
                        char text[PEER_FINGERPRINT_TEXT_SIZE])
{
    int n = snprintf(text, PEER_FINGERPRINT_TEXT_SIZE, "sha256:");

    for (unsigned int i = 0; i < PEER_FINGERPRINT_SIZE; i++) {
        n += snprintf(text + n, PEER_FINGERPRINT_TEXT_SIZE - (size_t) n,
                      "%02x", fingerprint[i]);
    }
    return text;
}

/* ---- making one ---- */

static bool
set_serial(X509 *x509)
{
    BIGNUM *serial = BN_new();
    bool is_set = serial
                  && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE,
                             BN_RAND_BOTTOM_ANY)
                  && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));

    BN_free(serial);
    return is_set;
}

static bool
set_names(X509 *x509, const char *host)
{
    X509_NAME *name = X509_get_subject_name(x509);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *) host, -1, -1, 0)
           && X509_set_issuer_name(x509, name);
}

static bool
make(struct peer_certificate *c, const char *host)
{
    c->key = EVP_EC_gen("P-256");
    c->x509 = X509_new();
    return c->key && c->x509 && X509_set_version(c->x509, X509_VERSION_3)
           && set_serial(c->x509) && set_names(c->x509, host)
           && ASN1_TIME_set_string(X509_getm_notBefore(c->x509),
                                   "20000101000000Z")
           && ASN1_TIME_set_string(X509_getm_notAfter(c->x509),
                                   "99991231235959Z")
           && X509_set_pubkey(c->x509, c->key)
           && X509_sign(c->x509, c->key, EVP_sha256());
}

static int
write_pem(int fd, const struct peer_certificate *c)
{
    FILE *f = fdopen(fd, "w");
    bool is_written;
    int err;

    if (!f) {
        err = -errno;
        close(fd);
        return err;
    }
    is_written = PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL)
                 && PEM_write_X509(f, c->x509) && !fflush(f) && !fsync(fd);
    err = is_written ? 0 : errno ? -errno : -EIO;
    if (fclose(f) && !err) {
        err = -errno;
    }
    return err;
}

/* Written aside and linked: of two that make it at once, the first wins, and a
 * half-written one is never found. */
static int
save(const struct peer_certificate *c, const char *path, struct str *error)
{
    struct str aside = STR_INIT;
    int err, fd;

    str_addf(&aside, "%s.XXXXXX", path);
    errno = 0;
    fd = mkostemp(aside.text, O_CLOEXEC);       /* of mode 0600 */
    if (fd < 0) {
        err = -errno;
        goto out;
    }
    err = write_pem(fd, c);
    if (!err && link(aside.text, path)) {
        err = -errno;
    }
    unlink(aside.text);

out:
    if (err && err != -EEXIST) {
        str_setf(error, "%s: %s", path, strerror(-err));
    }
    str_fini(&aside);
    return err;
}

/* ---- reading it ---- */

/* Nobody is there to be asked for one. */
static int
no_passphrase(char *buf UNUSED, int size UNUSED, int is_write UNUSED,
              void *aux UNUSED)
{
    return -1;
}

/* -ENOENT without an error text: there is none. */
static int
load(struct peer_certificate *c, const char *path, struct str *error)
{
    FILE *f = fopen(path, "re");
    struct stat st;

    if (!f) {
        int err = -errno;

        if (err != -ENOENT) {
            str_setf(error, "%s: %s", path, strerror(-err));
        }
        return err;
    }
    if (fstat(fileno(f), &st) || st.st_mode & (S_IRWXG | S_IRWXO)) {
        fclose(f);
        str_setf(error, "%s: others may read the key; chmod 600, or remove "
                 "it for a new one", path);
        return -EPERM;
    }
    c->key = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
    c->x509 = c->key ? PEM_read_X509(f, NULL, no_passphrase, NULL) : NULL;
    fclose(f);
    if (!c->x509 || X509_check_private_key(c->x509, c->key) != 1) {
        ERR_clear_error();
        str_setf(error, "%s: not a private key and its certificate", path);
        return -EINVAL;
    }
    return 0;
}

static int
load_or_make(struct peer_certificate *c, const char *path, const char *host,
             struct str *error)
{
    struct peer_certificate made = { 0 };
    int err = load(c, path, error);

    if (err != -ENOENT) {
        return err;
    }
    if (!make(&made, host)) {
        ERR_clear_error();
        str_setf(error, "%s: OpenSSL can make no certificate", path);
        err = -ENOTSUP;
    } else {
        err = save(&made, path, error);
    }
    EVP_PKEY_free(made.key);
    X509_free(made.x509);
    /* What counts is what the file has, whoever wrote it. */
    return err && err != -EEXIST ? err : load(c, path, error);
}

int
peer_certificate_open(const char *path, const char *host,
                      struct peer_certificate **certificate,
                      struct str *error)
{
    struct peer_certificate *c = xzalloc(sizeof *c);
    int err = load_or_make(c, path, host, error);

    if (!err && !peer_fingerprint_of(c->x509, c->fingerprint)) {
        str_setf(error, "%s: OpenSSL has no SHA-256", path);
        err = -ENOTSUP;
    }
    if (err) {
        peer_certificate_destroy(c);
        return err;
    }
    *certificate = c;
    return 0;
}

void
peer_certificate_destroy(struct peer_certificate *c)
{
    if (c) {
        EVP_PKEY_free(c->key);
        X509_free(c->x509);
        free(c);
    }
}

const uint8_t *
peer_certificate_fingerprint(const struct peer_certificate *c)
{
    return c->fingerprint;
}

EVP_PKEY *
peer_certificate_key(const struct peer_certificate *c)
{
    return c->key;
}

X509 *
peer_certificate_x509(const struct peer_certificate *c)
{
    return c->x509;
}
