#include "api/port_setting.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_VID = 4095 };

static bool
vid_is_set(const uint64_t *vids, unsigned int vid)
{
    return vids[vid / 64] >> (vid % 64) & 1;
}

static bool
vids_are_all(const uint64_t *vids)
{
    for (unsigned int i = 0; i < 64; i++) {
        if (vids[i]) {
            return false;
        }
    }
    return true;
}

/* A decimal number up to 4094; *end is behind it.  -1: not one. */
static int
parse_vid(const char *text, const char **end)
{
    int vid = 0;

    if (!isdigit((unsigned char) *text)) {
        return -1;
    }
    while (isdigit((unsigned char) *text) && vid < MAX_VID) {
        vid = vid * 10 + (*text++ - '0');
    }
    *end = text;
    return vid < MAX_VID ? vid : -1;
}

static bool
parse_bool(const char *value, bool *result)
{
    if (!strcmp(value, "yes") || !strcmp(value, "true")) {
        *result = true;
    } else if (!strcmp(value, "no") || !strcmp(value, "false")) {
        *result = false;
    } else {
        return false;
    }
    return true;
}

static const char *const mode_names[] = {
    [VLAN_TRUNK] = "trunk",
    [VLAN_ACCESS] = "access",
    [VLAN_NATIVE_TAGGED] = "native-tagged",
    [VLAN_NATIVE_UNTAGGED] = "native-untagged",
    NULL,
};

/* ---- One parser and one formatter per setting ---- */

static bool
set_tag(struct port_setting_values *settings, const char *value)
{
    int vid;

    if (!strcmp(value, "none") || !*value) {
        settings->vlan.vid = 0;
        return true;
    }
    vid = parse_vid(value, &value);
    if (vid < 1 || *value) {
        return false;
    }
    settings->vlan.vid = (uint16_t) vid;
    return true;
}

static json_t *
get_tag(const struct port_setting_values *settings)
{
    return settings->vlan.vid ? json_integer(settings->vlan.vid)
                              : json_null();
}

static bool
set_vlan_mode(struct port_setting_values *settings, const char *value)
{
    for (unsigned int i = 0; mode_names[i]; i++) {
        if (!strcmp(value, mode_names[i])) {
            settings->vlan.mode = (enum vlan_mode) i;
            settings->is_mode_given = true;
            return true;
        }
    }
    return false;
}

static json_t *
get_vlan_mode(const struct port_setting_values *settings)
{
    return json_string(mode_names[settings->vlan.mode]);
}

static bool
set_trunks(struct port_setting_values *settings, const char *value)
{
    uint64_t trunks[64] = { 0 };

    if (strcmp(value, "all")) {
        for (;;) {
            int first = parse_vid(value, &value);
            int last = first;

            if (first >= 0 && *value == '-') {
                last = parse_vid(value + 1, &value);
            }
            if (first < 0 || last < first) {
                return false;
            }
            for (int vid = first; vid <= last; vid++) {
                trunks[vid / 64] |= UINT64_C(1) << (vid % 64);
            }
            if (!*value) {
                break;
            }
            if (*value++ != '+') {
                return false;
            }
        }
    }
    memcpy(settings->vlan.trunks, trunks, sizeof trunks);
    return true;
}

static json_t *
get_trunks(const struct port_setting_values *settings)
{
    const uint64_t *vids = settings->vlan.trunks;
    struct str text = STR_INIT;
    json_t *json;

    if (vids_are_all(vids)) {
        return json_string("all");
    }
    for (unsigned int vid = 0; vid < MAX_VID; vid++) {
        unsigned int first = vid;

        if (!vid_is_set(vids, vid)) {
            continue;
        }
        while (vid + 1 < MAX_VID && vid_is_set(vids, vid + 1)) {
            vid++;
        }
        str_addf(&text, first == vid ? "%s%u" : "%s%u-%u",
                 text.len ? "+" : "", first, vid);
    }
    json = json_string(str_text(&text));
    str_fini(&text);
    return json;
}

static bool
set_admin(struct port_setting_values *settings, const char *value)
{
    settings->admin_down = !strcmp(value, "down");
    return settings->admin_down || !strcmp(value, "up");
}

static json_t *
get_admin(const struct port_setting_values *settings)
{
    return json_string(settings->admin_down ? "down" : "up");
}

#define FLAG_SETTINGS(X)                                                     \
    X(protected, is_protected)                                               \
    X(no_flood, no_flood)                                                    \
    X(no_receive, no_recv)                                                   \
    X(no_forward, no_fwd)                                                    \
    X(no_packet_in, no_packet_in)

#define X(NAME, MEMBER)                                                      \
    static bool set_##NAME(struct port_setting_values *v, const char *value) \
    {                                                                        \
        return parse_bool(value, &v->MEMBER);                                \
    }                                                                        \
    static json_t *get_##NAME(const struct port_setting_values *v)           \
    {                                                                        \
        return json_boolean(v->MEMBER);                                      \
    }
FLAG_SETTINGS(X)
#undef X

#define SETTINGS(X)                                                          \
    X(tag, "a VLAN from 1 to 4094, or none")                                 \
    X(vlan_mode, "access, trunk, native-tagged or native-untagged")          \
    X(trunks, "VLANs like 10+20-30, or all")                                 \
    X(protected, "yes or no")                                                \
    X(no_flood, "yes or no")                                                 \
    X(no_receive, "yes or no")                                               \
    X(no_forward, "yes or no")                                               \
    X(no_packet_in, "yes or no")                                             \
    X(admin, "up or down")

static const struct {
    const char *name;
    const char *expected;
    bool (*set)(struct port_setting_values *, const char *value);
    json_t *(*get)(const struct port_setting_values *);
} table[] = {
#define X(NAME, EXPECTED) { #NAME, EXPECTED, set_##NAME, get_##NAME },
    SETTINGS(X)
#undef X
};

static const char *const names[] = {
#define X(NAME, EXPECTED) #NAME,
    SETTINGS(X)
#undef X
    NULL,
};

/* ---- All settings of a port ---- */

void
port_settings_init(struct port_setting_values *settings)
{
    memset(settings, 0, sizeof *settings);
    settings->vlan.mode = VLAN_TRUNK;
}

void
port_settings_read(struct port_setting_values *settings,
                   const struct switch_port *port)
{
    *settings = (struct port_setting_values) {
        .vlan = port->vlan,
        .is_protected = port->is_protected,
        .no_flood = port->no_flood,
        .no_recv = port->no_recv,
        .no_fwd = port->no_fwd,
        .no_packet_in = port->no_packet_in,
        .admin_down = port->admin_down,
    };
}

const char *const *
port_setting_names(void)
{
    return names;
}

bool
port_setting_exists(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (!strcmp(name, table[i].name)) {
            return true;
        }
    }
    return false;
}

int
port_settings_set(struct port_setting_values *settings, const char *name,
                  const char *value, struct str *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (!strcmp(name, table[i].name)) {
            if (table[i].set(settings, value)) {
                return 0;
            }
            str_setf(error, "%s=%s: expected %s", name, value,
                     table[i].expected);
            return -EINVAL;
        }
    }
    str_setf(error, "a port has no setting '%s'", name);
    return -EINVAL;
}

int
port_settings_check(struct port_setting_values *settings, struct str *error)
{
    struct port_vlan *vlan = &settings->vlan;

    if (!settings->is_mode_given) {
        /* A tag that comes or goes decides between the two plain modes. */
        if (vlan->vid && vlan->mode == VLAN_TRUNK) {
            vlan->mode = VLAN_ACCESS;
        } else if (!vlan->vid) {
            vlan->mode = VLAN_TRUNK;
        }
    }
    if (vlan->mode != VLAN_TRUNK && !vlan->vid) {
        str_setf(error, "vlan_mode=%s needs a tag", mode_names[vlan->mode]);
        return -EINVAL;
    }
    if (vlan->mode == VLAN_TRUNK && vlan->vid) {
        str_setf(error, "a trunk has no tag; vlan_mode=native-untagged has");
        return -EINVAL;
    }
    return 0;
}

int
port_settings_apply(struct switch_ *sw, struct switch_port *port,
                    const struct port_setting_values *settings)
{
    int err = switch_set_port_vlan(sw, port, &settings->vlan);

    if (err) {
        return err;
    }
    return switch_set_port_flags(sw, port, settings->is_protected,
                                 settings->no_flood, settings->no_recv,
                                 settings->no_recv, settings->no_fwd,
                                 settings->no_packet_in, settings->admin_down);
}

void
port_settings_to_json(const struct port_setting_values *settings,
                      json_t *object)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        json_object_set_new(object, table[i].name, table[i].get(settings));
    }
}

/* ---- A port as written ---- */

/* Takes the leading "NUMBER=" or "local=" off; false: a number that cannot be
 * one. */
static bool
take_number(const char **text, uint32_t *number)
{
    static const char local[] = "local=";
    size_t n_digits = strspn(*text, "0123456789");

    if (!strncasecmp(*text, local, strlen(local))) {
        *number = OFPP_LOCAL;
        *text += strlen(local);
        return true;
    }
    if (!n_digits || (*text)[n_digits] != '=') {
        return true;
    }
    if (n_digits > 5) {
        return false;
    }
    *number = (uint32_t) strtoul(*text, NULL, 10);
    *text += n_digits + 1;
    return port_number_is_valid(*number);
}

/* Moves the settings and the name from the options to where they belong. */
static int
take_settings(struct port_spec *spec, struct str *error)
{
    struct port_config *config = &spec->config;
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < config->n_options; i++) {
        const struct port_option *option = &config->options[i];
        int err;

        if (!strcmp(option->key, "name")) {
            if (!*option->value
                || strlen(option->value) >= sizeof config->name) {
                str_setf(error, "name=%s: expected 1 to %zu characters",
                         option->value, sizeof config->name - 1);
                return -EINVAL;
            }
            strcpy(config->name, option->value);
        } else if (port_setting_exists(option->key)) {
            err = port_settings_set(&spec->settings, option->key,
                                    option->value, error);
            if (err) {
                return err;
            }
        } else {
            config->options[n_kept++] = *option;
        }
    }
    config->n_options = n_kept;
    return port_settings_check(&spec->settings, error);
}

/* Names must not be taken for numbers, nor break a path or a list. */
static int
check_name(const char *name, struct str *error)
{
    size_t n_digits = strspn(name, "0123456789");

    if (!name[n_digits] || strpbrk(name, "/,= \"'?#%")
        || !strcmp(name, ".") || !strcmp(name, "..")) {
        str_setf(error, "'%s' cannot be a port's name: a name is not a number "
                 "and has none of / , = ? # %% quotes and spaces; give one "
                 "with name=NAME", name);
        return -EINVAL;
    }
    return 0;
}

int
port_spec_parse(const char *text, struct port_spec *result,
                struct str *error)
{
    const char *rest = text;
    struct port_spec spec = { 0 };
    int err;

    port_settings_init(&spec.settings);
    if (!take_number(&rest, &spec.number)) {
        str_setf(error, "port '%s': a port's number is 1 to %d, or local",
                 text, PORT_ID_LOCAL - 1);
        return -EINVAL;
    }
    err = port_config_parse(rest, &spec.config, error);
    if (err) {
        return err;
    }
    err = take_settings(&spec, error);
    if (err) {
        return err;
    }
    err = check_name(spec.config.name, error);
    if (err) {
        return err;
    }
    *result = spec;
    return 0;
}
