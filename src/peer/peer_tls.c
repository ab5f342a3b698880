#include "peer/peer_tls.h"

#include <openssl/ssl.h>
#include <stdlib.h>

/* What a context asks with; freed with it. */
struct trust {
    peer_knows *knows;
    const void *aux;
};

static void
free_trust(void *parent UNUSED, void *trust, CRYPTO_EX_DATA *data UNUSED,
           int index UNUSED, long argl UNUSED, void *argp UNUSED)
{
    free(trust);
}

static int
judge(X509_STORE_CTX *context, void *trust_)
{
    const struct trust *trust = trust_;
    const X509 *shown = X509_STORE_CTX_get0_cert(context);
    uint8_t fingerprint[PEER_FINGERPRINT_SIZE];

    if (shown && peer_fingerprint_of(shown, fingerprint)
        && trust->knows(trust->aux, fingerprint)) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
}

static bool
set_up(SSL_CTX *ctx, const struct peer_certificate *certificate,
       struct trust *trust)
{
    int index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_trust);

    if (index < 0 || !SSL_CTX_set_ex_data(ctx, index, trust)) {
        free(trust);
        return false;
    }
    SSL_CTX_set_cert_verify_callback(ctx, judge, trust);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION)
           && SSL_CTX_use_certificate(
                  ctx, peer_certificate_x509(certificate)) == 1
           && SSL_CTX_use_PrivateKey(
                  ctx, peer_certificate_key(certificate)) == 1;
}

struct of_tls *
peer_tls_create(const struct peer_certificate *certificate,
                peer_knows *knows, const void *aux, struct str *error)
{
    SSL_CTX *ctx = of_tls_new_context();
    struct trust *trust;

    if (!ctx) {
        str_setf(error, "OpenSSL: no context");
        return NULL;
    }
    trust = xzalloc(sizeof *trust);
    *trust = (struct trust) { knows, aux };
    if (!set_up(ctx, certificate, trust)) {
        SSL_CTX_free(ctx);
        str_setf(error, "OpenSSL: the certificate cannot be used");
        return NULL;
    }
    return of_tls_adopt(ctx);
}
