#include "openflow/stream.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

enum { HOUR = 3600 };

/* An authority or one that it signed, and the files that say so. */
struct party {
    EVP_PKEY *key;
    X509 *cert;
    char key_file[64], cert_file[64];
};

static char dir[] = "/tmp/weft-stream-XXXXXX";

static void
write_files(struct party *p, const char *name)
{
    FILE *f;

    snprintf(p->key_file, sizeof p->key_file, "%s/%s.key", dir, name);
    f = fopen(p->key_file, "w");
    CHECK(f && PEM_write_PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
    snprintf(p->cert_file, sizeof p->cert_file, "%s/%s.crt", dir, name);
    f = fopen(p->cert_file, "w");
    CHECK(f && PEM_write_X509(f, p->cert));
    fclose(f);
}

/* Signed by `authority`, or by itself when that is NULL. */
static void
party_init(struct party *p, const char *name, const struct party *authority,
           long not_after)
{
    X509_NAME *subject;

    p->key = EVP_EC_gen("P-256");
    p->cert = X509_new();
    CHECK(p->key && p->cert);
    X509_set_version(p->cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(p->cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(p->cert), -2 * HOUR);
    X509_gmtime_adj(X509_getm_notAfter(p->cert), not_after);
    X509_set_pubkey(p->cert, p->key);
    subject = X509_get_subject_name(p->cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               (const unsigned char *) name, -1, -1, 0);
    X509_set_issuer_name(p->cert,
                         authority ? X509_get_subject_name(authority->cert)
                                   : subject);
    if (!authority) {
        X509_EXTENSION *is_ca = X509V3_EXT_conf_nid(
            NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

        X509_add_ext(p->cert, is_ca, -1);
        X509_EXTENSION_free(is_ca);
    }
    CHECK(X509_sign(p->cert, authority ? authority->key : p->key,
                    EVP_sha256()));
    write_files(p, name);
}

static void
party_fini(struct party *p)
{
    unlink(p->key_file);
    unlink(p->cert_file);
    EVP_PKEY_free(p->key);
    X509_free(p->cert);
}

static struct of_tls *
tls_of(const struct party *p, const struct party *authority)
{
    const struct of_tls_files files = {
        .private_key = p->key_file, .certificate = p->cert_file,
        .ca_cert = authority->cert_file,
    };
    struct str error = STR_INIT;
    struct of_tls *tls = of_tls_create(&files, &error);

    CHECK_MSG(tls, "%s", str_text(&error));
    str_fini(&error);
    return tls;
}

/* Alice and Bob, who trust `ca`, and what one of them may have of another
 * authority. */
struct cast {
    struct party ca, other, a, b;
    struct of_tls *tls_a, *tls_b;
};

enum oddity { NOTHING_ODD, SIGNED_BY_OTHER, TRUSTS_OTHER, EXPIRED };

static void
cast_init(struct cast *cast, enum oddity alice, enum oddity bob)
{
    party_init(&cast->ca, "ca", NULL, HOUR);
    party_init(&cast->other, "other", NULL, HOUR);
    party_init(&cast->a, "alice",
               alice == SIGNED_BY_OTHER ? &cast->other : &cast->ca,
               alice == EXPIRED ? -HOUR : HOUR);
    party_init(&cast->b, "bob", &cast->ca, HOUR);
    cast->tls_a = tls_of(&cast->a, &cast->ca);
    cast->tls_b = tls_of(&cast->b, bob == TRUSTS_OTHER ? &cast->other
                                                       : &cast->ca);
}

static void
cast_fini(struct cast *cast)
{
    of_tls_destroy(cast->tls_a);
    of_tls_destroy(cast->tls_b);
    party_fini(&cast->ca);
    party_fini(&cast->other);
    party_fini(&cast->a);
    party_fini(&cast->b);
}

/* Two ends that shake hands until nothing moves. */
struct pair {
    struct of_stream *client, *server;
    int client_says, server_says;
};

static void
pair_init(struct pair *pair, struct of_tls *client, struct of_tls *server)
{
    int fds[2];

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    pair->client = of_stream_create(fds[0], client, false);
    pair->server = of_stream_create(fds[1], server, true);
    pair->client_says = pair->server_says = -EAGAIN;
    for (unsigned int i = 0; i < 10; i++) {
        if (pair->client_says == -EAGAIN) {
            pair->client_says = of_stream_shake_hands(pair->client);
        }
        if (pair->server_says == -EAGAIN) {
            pair->server_says = of_stream_shake_hands(pair->server);
        }
    }
}

static void
pair_fini(struct pair *pair)
{
    of_stream_destroy(pair->client);
    of_stream_destroy(pair->server);
}

static void
says(const struct of_stream *stream, const char *words)
{
    CHECK_MSG(strstr(of_stream_reason(stream), words), "'%s' lacks '%s'",
              of_stream_reason(stream), words);
}

TEST(two_of_one_authority_talk)
{
    static uint8_t sent[100000], got[sizeof sent];
    struct cast cast;
    struct str said = STR_INIT;
    struct pair pair;
    size_t n_sent = 0, n_got = 0;

    cast_init(&cast, NOTHING_ODD, NOTHING_ODD);
    pair_init(&pair, cast.tls_a, cast.tls_b);
    CHECK(!pair.client_says && !pair.server_says);
    CHECK(of_stream_describe(pair.server, &said));
    CHECK(strstr(str_text(&said), "TLSv1.3"));
    CHECK(strstr(str_text(&said), "alice"));

    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t) (i * 7);
    }
    while (n_got < sizeof sent) {
        ssize_t n = n_sent < sizeof sent
                    ? of_stream_write(pair.client, sent + n_sent,
                                      sizeof sent - n_sent) : -EAGAIN;

        n_sent += n > 0 ? (size_t) n : 0;
        /* In pieces that are no record's size: the rest is pending. */
        n = of_stream_read(pair.server, got + n_got,
                           MIN(sizeof got - n_got, (size_t) 999));
        CHECK(n > 0 || n == -EAGAIN);
        n_got += n > 0 ? (size_t) n : 0;
    }
    CHECK(!memcmp(sent, got, sizeof sent));
    CHECK(!of_stream_has_pending(pair.server));

    of_stream_destroy(pair.client);
    CHECK(of_stream_read(pair.server, got, sizeof got) == -ECONNRESET);
    says(pair.server, "closed");
    of_stream_destroy(pair.server);
    cast_fini(&cast);
    str_fini(&said);
}

TEST(who_another_authority_signed_is_refused)
{
    struct cast cast;
    struct pair pair;
    uint8_t byte;

    cast_init(&cast, SIGNED_BY_OTHER, NOTHING_ODD);
    /* The server refuses the client, which hears of it when it reads. */
    pair_init(&pair, cast.tls_a, cast.tls_b);
    CHECK(pair.server_says < 0 && pair.server_says != -EAGAIN);
    says(pair.server, "certificate is refused: unable to get local issuer");
    CHECK(of_stream_read(pair.client, &byte, 1) == -EPROTO);
    says(pair.client, "refused us by TLS: unknown CA");
    pair_fini(&pair);
    /* The other way round the client does. */
    pair_init(&pair, cast.tls_b, cast.tls_a);
    CHECK(pair.client_says == -EPROTO);
    says(pair.client, "certificate is refused");
    pair_fini(&pair);
    cast_fini(&cast);
}

TEST(why_we_are_refused_is_told_even_when_a_write_finds_out)
{
    struct cast cast;
    struct pair pair;

    cast_init(&cast, NOTHING_ODD, TRUSTS_OTHER);
    pair_init(&pair, cast.tls_a, cast.tls_b);
    CHECK(!pair.client_says);
    of_stream_destroy(pair.server);
    CHECK(of_stream_write(pair.client, "hello", 5) < 0);
    says(pair.client, "refused us by TLS: unknown CA");
    of_stream_destroy(pair.client);
    cast_fini(&cast);
}

TEST(a_certificate_has_its_time)
{
    struct cast cast;
    struct pair pair;

    cast_init(&cast, EXPIRED, NOTHING_ODD);
    pair_init(&pair, cast.tls_a, cast.tls_b);
    says(pair.server, "certificate has expired");
    pair_fini(&pair);
    cast_fini(&cast);
}

TEST(who_shows_no_certificate_or_speaks_no_tls_is_refused)
{
    struct party ca, b;
    struct of_tls *tls;
    struct of_stream *server;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    int fds[2], said = -EAGAIN;

    party_init(&ca, "ca", NULL, HOUR);
    party_init(&b, "bob", &ca, HOUR);
    tls = tls_of(&b, &ca);

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    server = of_stream_create(fds[1], tls, true);
    SSL_set_fd(ssl, fds[0]);
    for (unsigned int i = 0; i < 10 && said == -EAGAIN; i++) {
        SSL_connect(ssl);
        said = of_stream_shake_hands(server);
    }
    says(server, "showed no certificate");
    of_stream_destroy(server);
    close(fds[0]);

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    server = of_stream_create(fds[1], tls, true);
    CHECK(of_stream_shake_hands(server) == -EAGAIN);
    CHECK(of_stream_wants(server) == OF_READ);
    CHECK(write(fds[0], "\4\0\0\10\0\0\0\1\4\0\0\10\0\0\0\1", 16) == 16);
    CHECK(of_stream_shake_hands(server) == -EPROTO);
    says(server, "does not speak TLS");
    of_stream_destroy(server);
    close(fds[0]);

    of_tls_destroy(tls);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    party_fini(&ca);
    party_fini(&b);
}

static void
refused(const char *key, const char *cert, const char *ca, const char *words)
{
    const struct of_tls_files files = { .private_key = key,
                                        .certificate = cert, .ca_cert = ca };
    struct str error = STR_INIT;

    CHECK(!of_tls_create(&files, &error));
    CHECK_MSG(strstr(str_text(&error), words), "'%s' lacks '%s'",
              str_text(&error), words);
    str_fini(&error);
}

TEST(a_file_that_cannot_be_used_is_named_with_the_reason)
{
    struct party a, b;

    party_init(&a, "alice", NULL, HOUR);
    party_init(&b, "bob", NULL, HOUR);
    refused("/nowhere/key", a.cert_file, a.cert_file,
            "/nowhere/key: No such file");
    refused(dir, a.cert_file, a.cert_file, "not a file");
    refused(b.key_file, a.cert_file, a.cert_file,
            "bob.key: not the key of the certificate");
    refused(a.cert_file, a.cert_file, a.cert_file,
            "alice.crt: no private key");
    refused(a.key_file, a.key_file, a.cert_file,
            "alice.key: no certificate");
    refused(a.key_file, a.cert_file, b.key_file, "bob.key: no certificate");
    party_fini(&a);
    party_fini(&b);
}

TEST(files_that_changed_are_read_again)
{
    struct party ca, old, new;
    struct of_tls *tls;
    struct str error = STR_INIT, said = STR_INIT;
    struct pair pair;

    party_init(&ca, "ca", NULL, HOUR);
    party_init(&old, "bob", &ca, HOUR);
    tls = tls_of(&old, &ca);
    CHECK(!of_tls_refresh(tls, &error));
    /* Without its key the old certificate stays in force. */
    party_init(&new, "bob", &ca, HOUR);
    unlink(new.key_file);
    CHECK(of_tls_refresh(tls, &error) == -ENOENT);
    CHECK(strstr(str_text(&error), "bob.key: No such file"));
    CHECK(!of_tls_refresh(tls, &error));    /* said once */
    pair_init(&pair, tls, tls);
    CHECK(!pair.client_says);
    pair_fini(&pair);
    write_files(&new, "bob");
    CHECK(!of_tls_refresh(tls, &error));
    pair_init(&pair, tls, tls);
    CHECK(!pair.client_says);
    CHECK(of_stream_describe(pair.client, &said));
    pair_fini(&pair);

    str_fini(&error);
    str_fini(&said);
    of_tls_destroy(tls);
    party_fini(&ca);
    party_fini(&old);
    party_fini(&new);
}

static int
make_dir(void **state UNUSED)
{
    /* As weftd does: OpenSSL writes to sockets without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state UNUSED)
{
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(two_of_one_authority_talk),
        RUN(who_another_authority_signed_is_refused),
        RUN(why_we_are_refused_is_told_even_when_a_write_finds_out),
        RUN(a_certificate_has_its_time),
        RUN(who_shows_no_certificate_or_speaks_no_tls_is_refused),
        RUN(a_file_that_cannot_be_used_is_named_with_the_reason),
        RUN(files_that_changed_are_read_again),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
