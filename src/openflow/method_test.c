#include "openflow/method.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "unit.h"

/* Family, address and port of a method, as text. */
static const char *
read_back(const char *text)
{
    static char said[256];
    struct of_method m;
    struct str error = STR_INIT;
    char host[64] = "";

    if (of_method_parse(text, &m, &error)) {
        CHECK(error.len);
        snprintf(said, sizeof said, "refused");
    } else if (m.address.any.sa_family == AF_UNIX) {
        snprintf(said, sizeof said, "%d %d %s", m.is_passive, m.is_tls,
                 m.address.un.sun_path);
    } else if (m.address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &m.address.in.sin_addr, host, sizeof host);
        snprintf(said, sizeof said, "%d %d %s %u", m.is_passive, m.is_tls,
                 host, be16toh(m.address.in.sin_port));
    } else {
        inet_ntop(AF_INET6, &m.address.in6.sin6_addr, host, sizeof host);
        snprintf(said, sizeof said, "%d %d %s %u", m.is_passive, m.is_tls,
                 host, be16toh(m.address.in6.sin6_port));
    }
    str_fini(&error);
    return said;
}

TEST(methods_are_read_as_people_write_them)
{
    static const struct { const char *text, *means; } cases[] = {
        { "tcp:127.0.0.1", "0 0 127.0.0.1 6653" },
        { "tcp:127.0.0.1:6633", "0 0 127.0.0.1 6633" },
        { "tcp:[::1]:6633", "0 0 ::1 6633" },
        { "tcp:[::1]", "0 0 ::1 6653" },
        { "tcp:fe80::1", "0 0 fe80::1 6653" },
        { "ssl:10.0.0.1:1", "0 1 10.0.0.1 1" },
        { "tls:10.0.0.1:1", "0 1 10.0.0.1 1" },
        { "ptls:1:10.0.0.1", "1 1 10.0.0.1 1" },
        { "ptcp:", "1 0 0.0.0.0 6653" },
        { "ptcp:6634", "1 0 0.0.0.0 6634" },
        { "ptcp:6634:127.0.0.1", "1 0 127.0.0.1 6634" },
        { "ptcp::127.0.0.1", "1 0 127.0.0.1 6653" },
        { "ptcp:6634:[::1]", "1 0 ::1 6634" },
        { "pssl:6640", "1 1 0.0.0.0 6640" },
        { "unix:/run/c.sock", "0 0 /run/c.sock" },
        { "punix:s", "1 0 s" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_MSG(!strcmp(read_back(cases[i].text), cases[i].means),
                  "%s: %s, not %s", cases[i].text, read_back(cases[i].text),
                  cases[i].means);
    }
}

TEST(what_is_wrong_is_refused_with_words)
{
    static const char *const bad[] = {
        "", "tcp", "tcp:", "tcp:nowhere", "tcp:1.2.3.4:", "tcp:1.2.3.4:0",
        "tcp:1.2.3.4:65536", "tcp:1.2.3.4:x", "tcp:[::1", "tcp:[::1]6633",
        "ptcp:x", "ptcp:1:x", "unix:", "udp:1.2.3.4", "ptcp:1:[",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_MSG(!strcmp(read_back(bad[i]), "refused"), "%s", bad[i]);
    }
}

TEST(a_listener_is_reached)
{
    char path[] = "/tmp/weft-method-XXXXXX", text[64];
    struct of_method m;
    struct str error = STR_INIT;
    int listener, fd;

    CHECK(mkdtemp(path));
    snprintf(text, sizeof text, "punix:%s/s", path);
    CHECK(!of_method_parse(text, &m, &error));
    listener = of_method_open(&m);
    CHECK(listener >= 0);
    CHECK(!of_method_parse(text + 1, &m, &error));
    fd = of_method_open(&m);
    CHECK(fd >= 0);
    close(fd);
    close(listener);
    unlink(m.address.un.sun_path);
    CHECK(of_method_open(&m) == -ENOENT);
    rmdir(path);
    str_fini(&error);
}

TESTS(
    RUN(methods_are_read_as_people_write_them),
    RUN(what_is_wrong_is_refused_with_words),
    RUN(a_listener_is_reached),
)
