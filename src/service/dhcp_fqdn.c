#include "service/dhcp_fqdn.h"

/* flags: u8 | RCODE1: u8 | RCODE2: u8 | name, in labels or (old) as text */
enum { FLAG_SERVER = 1, FLAG_OVERRIDE = 2, FLAG_ENCODED = 4, FLAG_NONE = 8 };
enum { HEADER_LEN = 3, NOTHING_DONE_YET = 255 };

bool
dhcp_fqdn_label(struct dhcp_value asked, char *label, size_t size)
{
    const uint8_t *p;
    size_t left, n = 0;

    if (asked.len <= HEADER_LEN) {
        return false;
    }
    p = asked.p + HEADER_LEN;
    left = asked.len - HEADER_LEN;
    if (asked.p[0] & FLAG_ENCODED) {
        n = *p++;
        left--;
    } else {
        while (n < left && p[n] && p[n] != '.') {
            n++;
        }
    }
    if (!n || n > left || n >= size) {
        return false;
    }
    memcpy(label, p, n);
    label[n] = '\0';
    return true;
}

/* The text's labels behind each other: "web.blue.weft". */
static size_t
put_labels(uint8_t *out, const char *text)
{
    uint8_t *p = out;

    while (*text) {
        size_t n = strcspn(text, ".");

        *p++ = (uint8_t) n;
        memcpy(p, text, n);
        p += n;
        text += n + (text[n] == '.');
    }
    return (size_t) (p - out);
}

static size_t
put_name(uint8_t *out, const char *name, const char *domain, bool is_encoded)
{
    size_t n;

    if (!is_encoded) {
        n = strlen(name);
        memcpy(out, name, n);
        if (domain) {
            out[n++] = '.';
            memcpy(out + n, domain, strlen(domain));
            n += strlen(domain);
        }
        return n;
    }
    n = put_labels(out, name);
    n += domain ? put_labels(out + n, domain) : 0;
    out[n++] = 0;
    return n;
}

size_t
dhcp_fqdn_answer(struct dhcp_value asked, const char *name,
                 const char *domain, uint8_t out[DHCP_FQDN_MAX])
{
    uint8_t flags;

    if (asked.len < HEADER_LEN || asked.len > DHCP_FQDN_MAX
        || (name && strlen(name) + (domain ? strlen(domain) : 0)
                    + HEADER_LEN + 3 > DHCP_FQDN_MAX)) {
        return 0;
    }
    flags = asked.p[0] & FLAG_ENCODED;
    if (!name) {
        memcpy(out, asked.p, asked.len);
        out[0] = flags | FLAG_NONE;
        out[1] = out[2] = NOTHING_DONE_YET;
        return asked.len;
    }
    flags |= FLAG_SERVER;
    if (!(asked.p[0] & FLAG_SERVER)) {
        flags |= FLAG_OVERRIDE;
    }
    out[0] = flags;
    out[1] = out[2] = NOTHING_DONE_YET;
    return HEADER_LEN + put_name(out + HEADER_LEN, name, domain,
                                 flags & FLAG_ENCODED);
}
