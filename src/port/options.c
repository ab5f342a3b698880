#include "port/options.h"

#include <ctype.h>
#include <stdlib.h>

#include "packet/field.h"

static int
bad(const struct port *port, const char *key, const char *value,
    const char *expected, struct str *error)
{
    str_setf(error, "port '%s': %s=%s is not %s", port->config.name, key,
             value, expected);
    return -EINVAL;
}

int
option_bool(const struct port *port, const char *key, bool *result,
            struct str *error)
{
    const char *value = port_config_get(&port->config, key);

    if (value) {
        if (strcmp(value, "yes") && strcmp(value, "no")) {
            return bad(port, key, value, "yes or no", error);
        }
        *result = value[0] == 'y';
    }
    return 0;
}

int
option_number(const struct port *port, const char *key, uint64_t min,
              uint64_t max, uint64_t *result, struct str *error)
{
    const char *value = port_config_get(&port->config, key);
    unsigned long long v;
    char *end;

    if (!value) {
        return 0;
    }
    errno = 0;
    v = strtoull(value, &end, 10);
    if (!isdigit((unsigned char) value[0]) || *end || errno || v < min
        || v > max) {
        str_setf(error, "port '%s': %s=%s is not a number from %llu to %llu",
                 port->config.name, key, value, (unsigned long long) min,
                 (unsigned long long) max);
        return -EINVAL;
    }
    *result = v;
    return 0;
}

/* A decimal number and what follows it. */
static bool
parse_decimal(const char *text, double *v, const char **unit)
{
    char *end;

    *v = strtod(text, &end);
    *unit = end;
    /* Neither 1e3 nor 0x10 nor nan. */
    return isdigit((unsigned char) text[0])
           && end == text + strspn(text, "0123456789.");
}

int
option_time(const struct port *port, const char *key, usec *result,
            struct str *error)
{
    const char *value = port_config_get(&port->config, key), *unit;
    double v;

    if (!value) {
        return 0;
    }
    if (!parse_decimal(value, &v, &unit)) {
        return bad(port, key, value, "a time such as 10ms", error);
    }
    v *= !strcmp(unit, "us") ? 1 : !strcmp(unit, "ms") ? 1000
         : !strcmp(unit, "s") ? 1000000 : -1;
    if (!(v >= 0 && v <= 1000e6)) {
        return bad(port, key, value, "a time such as 10ms", error);
    }
    *result = (usec) v;
    return 0;
}

int
option_percent(const struct port *port, const char *key, uint64_t *result,
               struct str *error)
{
    const char *value = port_config_get(&port->config, key), *unit;
    double v;

    if (!value) {
        return 0;
    }
    if (!parse_decimal(value, &v, &unit) || strcmp(unit, "%")
        || !(v >= 0 && v <= 100)) {
        return bad(port, key, value, "a percentage such as 0.5%", error);
    }
    *result = (uint64_t) (v / 100 * 4294967296.0);
    return 0;
}

int
option_eth(const struct port *port, const char *key, struct eth_addr *result,
           struct str *error)
{
    const char *value = port_config_get(&port->config, key);
    u128 v, mask;

    if (!value) {
        return 0;
    }
    if (field_parse(field_by_id(FIELD_ETH_DST), value, &v, &mask, NULL)
        || strchr(value, '/') || !strchr(value, ':')) {
        return bad(port, key, value, "an Ethernet address", error);
    }
    for (int i = 5; i >= 0; i--, v >>= 8) {
        result->b[i] = (uint8_t) v;
    }
    return 0;
}
