#include "peer/peer_certificate.h"

#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

struct place {
    char dir[32];
    char path[64];
};

static void
place_init(struct place *p)
{
    strcpy(p->dir, "/tmp/weft-peer-XXXXXX");
    CHECK(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/peer.pem", p->dir);
}

static void
place_fini(struct place *p)
{
    unlink(p->path);
    CHECK(!rmdir(p->dir));        /* nothing was left beside it */
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    CHECK(f && fputs(text, f) >= 0 && !fclose(f) && !chmod(path, mode));
}

TEST(the_first_start_makes_it_and_the_next_finds_it)
{
    struct peer_certificate *made, *found;
    struct str error = STR_INIT;
    struct place p;
    struct stat st;

    place_init(&p);
    CHECK(!peer_certificate_open(p.path, "h1", &made, &error));
    CHECK(!stat(p.path, &st) && (st.st_mode & 0777) == 0600);
    CHECK(!peer_certificate_open(p.path, "other", &found, &error));
    CHECK(!memcmp(peer_certificate_fingerprint(made),
                  peer_certificate_fingerprint(found),
                  PEER_FINGERPRINT_SIZE));
    CHECK(X509_check_private_key(peer_certificate_x509(found),
                                 peer_certificate_key(found)) == 1);
    CHECK(X509_verify(peer_certificate_x509(found),
                      peer_certificate_key(found)) == 1);
    peer_certificate_destroy(made);
    peer_certificate_destroy(found);
    place_fini(&p);
    str_fini(&error);
}

TEST(two_hosts_are_not_the_same)
{
    struct peer_certificate *a, *b;
    struct place p, q;

    place_init(&p);
    place_init(&q);
    CHECK(!peer_certificate_open(p.path, "h1", &a, NULL));
    CHECK(!peer_certificate_open(q.path, "h1", &b, NULL));
    CHECK(memcmp(peer_certificate_fingerprint(a),
                 peer_certificate_fingerprint(b), PEER_FINGERPRINT_SIZE));
    peer_certificate_destroy(a);
    peer_certificate_destroy(b);
    place_fini(&p);
    place_fini(&q);
}

TEST(what_cannot_be_read_is_said_and_kept)
{
    struct peer_certificate *c = NULL;
    struct str error = STR_INIT;
    struct place p;
    struct stat st;

    place_init(&p);
    write_file(p.path, "hello\n", 0600);
    CHECK(peer_certificate_open(p.path, "h1", &c, &error) == -EINVAL);
    CHECK(strstr(str_text(&error), "not a private key and its certificate"));
    CHECK(!stat(p.path, &st) && st.st_size == 6 && !c);
    str_fini(&error);
    place_fini(&p);
}

TEST(a_key_that_others_may_read_is_refused)
{
    struct peer_certificate *c = NULL;
    struct str error = STR_INIT;
    struct place p;

    place_init(&p);
    CHECK(!peer_certificate_open(p.path, "h1", &c, &error));
    peer_certificate_destroy(c);
    c = NULL;
    CHECK(!chmod(p.path, 0640));
    CHECK(peer_certificate_open(p.path, "h1", &c, &error) == -EPERM && !c);
    CHECK(strstr(str_text(&error), "others may read the key"));
    str_fini(&error);
    place_fini(&p);
}

TEST(a_directory_that_is_not_there_is_said)
{
    struct peer_certificate *c = NULL;
    struct str error = STR_INIT;

    CHECK(peer_certificate_open("/nonexistent/peer.pem", "h1", &c, &error)
          == -ENOENT && !c);
    CHECK(strstr(str_text(&error), "/nonexistent/peer.pem: "));
    str_fini(&error);
}

TEST(a_fingerprint_reads_as_hosts_has_it)
{
    uint8_t fingerprint[PEER_FINGERPRINT_SIZE] = { 0x9f, 0x06, [31] = 0xff };
    char text[PEER_FINGERPRINT_TEXT_SIZE];

    peer_fingerprint_format(fingerprint, text);
    CHECK(strlen(text) == 7 + 64 && !strncmp(text, "sha256:9f0600", 13));
    CHECK(!strcmp(text + 7 + 62, "ff"));
}

TESTS(
    RUN(the_first_start_makes_it_and_the_next_finds_it),
    RUN(two_hosts_are_not_the_same),
    RUN(what_cannot_be_read_is_said_and_kept),
    RUN(a_key_that_others_may_read_is_refused),
    RUN(a_directory_that_is_not_there_is_said),
    RUN(a_fingerprint_reads_as_hosts_has_it),
)
