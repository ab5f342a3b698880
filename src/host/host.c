#include "host/host.h"

#include <stdlib.h>

#include "host/uplink_nat.h"
#include "host/wanted.h"
#include "lib/clock.h"

enum {
    CHECKS_PER_RUN = 64,          /* of ports that should be in */
    CHECK_PERIOD_MS = 200,
};

/* A port that is wanted. */
struct entry {
    const struct wanted_port *wanted;
    enum host_state state;
    msec retry_at, backoff;
    char *error;                  /* NULL: none */
    be32 chosen;                  /* host_set_address() */
    bool is_in;                   /* plugged in, its device there or not */
    bool is_inside_due;           /* what the device is given inside changed */
};

struct host {
    struct plug plug;
    struct uplink_nat *nat;
    char name[INTENT_NAME_MAX];
    struct intent *intent;        /* whose ports `wanted` names; NULL: none */
    struct wanted wanted;
    struct entry *entries;        /* one for each of wanted.list */
    unsigned int n_outs;          /* to be taken out before anything goes in */
    char **outs;
    unsigned int next;            /* where the next slice begins */
    unsigned int next_check;
    msec check_at;
};

static const char *const state_texts[] = {
#define X(ID, TEXT, MEANING) [ID] = TEXT,
    HOST_STATES(X)
#undef X
};

const char *
host_state_text(enum host_state state)
{
    return state_texts[state];
}

struct host *
host_create(const struct plug *plug, const char *name,
            struct helper *helper)
{
    struct host *host = xzalloc(sizeof *host);

    host->plug = *plug;
    host->nat = uplink_nat_create(helper);
    strncpy(host->name, name, sizeof host->name - 1);
    return host;
}

const char *
host_name(const struct host *host)
{
    return host->name;
}

static void
entries_fini(struct host *host)
{
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        free(host->entries[i].error);
    }
    free(host->entries);
    wanted_fini(&host->wanted);
}

void
host_destroy(struct host *host)
{
    if (!host) {
        return;
    }
    entries_fini(host);
    uplink_nat_destroy(host->nat);
    for (unsigned int i = 0; i < host->n_outs; i++) {
        free(host->outs[i]);
    }
    free(host->outs);
    intent_unref(host->intent);
    free(host);
}

/* ---- From one set of intents to the next ---- */

static void
take_out(struct host *host, const struct entry *entry)
{
    if (!entry->is_in) {
        return;
    }
    host->outs = xrealloc(host->outs,
                          (host->n_outs + 1) * sizeof *host->outs);
    host->outs[host->n_outs++] = xstrdup(entry->wanted->switch_name);
}

/* The options of the inside; "": none.  For free(). */
static char *
inside_of(const struct entry *entry)
{
    struct str s = STR_INIT;

    wanted_add_inside(entry->wanted, entry->chosen, &s);
    return str_steal(&s);
}

static bool
is_inside_other(const struct entry *a, const struct entry *b)
{
    char *inside_a = inside_of(a), *inside_b = inside_of(b);
    bool is_other = strcmp(inside_a, inside_b);

    free(inside_a);
    free(inside_b);
    return is_other;
}

/* Then its texts are with the new one. */
static bool
is_same_port(const struct wanted_port *a, const struct wanted_port *b)
{
    return a->port && a->port == b->port;
}

static void
carry_over(struct entry *entry, struct entry *old)
{
    entry->chosen = old->chosen;
    entry->state = old->state;
    entry->is_in = old->is_in;
    entry->retry_at = old->retry_at;
    entry->backoff = old->backoff;
    entry->error = old->error;
    old->error = NULL;
    entry->is_inside_due = old->is_inside_due
                           || (!is_same_port(entry->wanted, old->wanted)
                               && is_inside_other(entry, old));
}

/* Both lists are in order of switch_name. */
static void
merge(struct host *host, const struct wanted *wanted, struct entry *entries)
{
    unsigned int i = 0, k = 0;

    while (i < host->wanted.n || k < wanted->n) {
        const struct wanted_port *a = i < host->wanted.n
                                      ? &host->wanted.list[i] : NULL;
        const struct wanted_port *b = k < wanted->n ? &wanted->list[k] : NULL;
        int order = !a ? 1 : !b ? -1
                    : strcmp(a->switch_name, b->switch_name);

        if (order > 0) {
            k++;
        } else if (order < 0) {
            take_out(host, &host->entries[i++]);
        } else if (!is_same_port(a, b) && strcmp(a->spec, b->spec)) {
            entries[k].chosen = host->entries[i].chosen;
            take_out(host, &host->entries[i++]);
            k++;
        } else {
            carry_over(&entries[k++], &host->entries[i++]);
        }
    }
}

void
host_set_intent(struct host *host, const struct intent *intent)
{
    struct wanted wanted;
    struct entry *entries;

    wanted_init(&wanted, intent, host->name, host->plug.n_workers,
                &host->wanted);
    entries = xcalloc(wanted.n + 1, sizeof *entries);
    for (unsigned int i = 0; i < wanted.n; i++) {
        entries[i].wanted = &wanted.list[i];
        entries[i].backoff = HOST_RETRY_MIN_MS;
    }
    merge(host, &wanted, entries);
    entries_fini(host);
    intent_unref(host->intent);
    host->intent = intent_ref(intent);
    host->wanted = wanted;
    host->entries = entries;
    host->next = host->next_check = 0;
    uplink_nat_set_intent(host->nat, intent, host->name);
}

void
host_set_address(struct host *host, const char *switch_name, be32 address)
{
    const struct wanted_port *wanted = wanted_find(&host->wanted,
                                                   switch_name);
    struct entry *entry;

    if (!wanted) {
        return;
    }
    entry = &host->entries[wanted - host->wanted.list];
    if (entry->chosen == address) {
        return;
    }
    entry->chosen = address;
    if (wanted->inside.is_wanted && !wanted->inside.address) {
        entry->is_inside_due = true;
        entry->retry_at = 0;
        host->next = 0;
    }
}

/* ---- A slice of work ---- */

static void
set_state(struct entry *entry, enum host_state state, const char *error)
{
    entry->state = state;
    free(entry->error);
    entry->error = error ? xstrdup(error) : NULL;
}

static void
retry_later(struct entry *entry, enum host_state state, const char *error,
            msec now)
{
    set_state(entry, state, error);
    entry->retry_at = now + entry->backoff;
    entry->backoff = MIN(2 * entry->backoff, HOST_RETRY_MAX_MS);
}

static int
make_config(const struct entry *entry, struct port_config *config,
            struct str *error)
{
    struct str spec = STR_INIT;
    int err;

    str_addf(&spec, "%s=%s", entry->wanted->switch_name,
             entry->wanted->spec);
    wanted_add_inside(entry->wanted, entry->chosen, &spec);
    err = port_config_parse(str_text(&spec), config, error);
    str_fini(&spec);
    return err;
}

/* Plugs it in, or gives the inside of a plugged one what it is to have now. */
static int
plug_in(struct host *host, struct entry *entry, struct str *error)
{
    struct port_config config;
    int err = make_config(entry, &config, error);

    if (err) {
        return err;
    }
    err = entry->is_in
          ? host->plug.configure(host->plug.aux, &config, error)
          : host->plug.in(host->plug.aux, &config, error);
    if (!err) {
        entry->is_inside_due = false;
    }
    return err;
}

/* What became of ports that are in: their devices come and go, and somebody may
 * have taken the port out by hand. */
static void
check_port(struct host *host, struct entry *entry)
{
    struct str why = STR_INIT;
    int err = host->plug.check(host->plug.aux, entry->wanted->switch_name,
                               &why);

    if (!err && entry->state == HOST_WAITING) {
        set_state(entry, HOST_PLUGGED, NULL);
    } else if (err == -ENODEV && (entry->state == HOST_PLUGGED || why.len)) {
        set_state(entry, HOST_WAITING, why.len ? str_text(&why)
                                               : entry->wanted->missing);
    } else if (err == -ENOENT) {
        set_state(entry, HOST_PENDING, NULL);
        entry->is_in = false;
        entry->retry_at = 0;
    }
    str_fini(&why);
}

/* Something changed by which others may be possible now. */
static void
retry_failed(struct host *host)
{
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        if (host->entries[i].state == HOST_FAILED) {
            host->entries[i].retry_at = 0;
        }
    }
}

/* Rules first: they keep guests from the host. */
static int
may_plug_in(const struct host *host, const struct entry *entry,
            struct str *error)
{
    const char *reason;

    if (!entry->wanted->is_leg || uplink_nat_is_in_force(host->nat)) {
        return 0;
    }
    uplink_nat_state(host->nat, &reason);
    str_setf(error, "the host's NAT: %s", *reason ? reason : "not yet");
    return -EAGAIN;
}

static void
try_port(struct host *host, struct entry *entry, msec now)
{
    struct str error = STR_INIT;
    int err = may_plug_in(host, entry, &error);

    if (!err) {
        err = plug_in(host, entry, &error);
    }
    if (!err) {
        if (!entry->is_in || entry->state == HOST_FAILED) {
            set_state(entry, HOST_PLUGGED, NULL);
        }
        entry->is_in = true;
        entry->backoff = HOST_RETRY_MIN_MS;
        check_port(host, entry);
        if (entry->wanted->is_optional) {
            retry_failed(host);
        }
    } else if (entry->wanted->is_optional && err == -EADDRNOTAVAIL) {
        retry_later(entry, HOST_PENDING, NULL, now);
    } else {
        retry_later(entry, err == -ENODEV ? HOST_PENDING : HOST_FAILED,
                    error.len ? str_text(&error) : strerror(-err), now);
    }
    str_fini(&error);
}

static bool
is_done(const struct entry *entry)
{
    return entry->is_in && !entry->is_inside_due;
}

static bool
is_due(const struct entry *entry, msec now)
{
    return !is_done(entry) && entry->retry_at <= now;
}

static void
check_some(struct host *host, msec now)
{
    if (now < host->check_at) {
        return;
    }
    host->check_at = now + CHECK_PERIOD_MS;
    for (unsigned int i = 0; i < CHECKS_PER_RUN && i < host->wanted.n; i++) {
        struct entry *entry;

        host->next_check = (host->next_check + 1) % host->wanted.n;
        entry = &host->entries[host->next_check];
        if (entry->is_in) {
            check_port(host, entry);
        }
    }
}

/* False: the time was used up. */
static bool
take_outs(struct host *host, msec end)
{
    while (host->n_outs) {
        char *name = host->outs[--host->n_outs];

        host->plug.out(host->plug.aux, name);
        free(name);
        if (clock_msec() >= end) {
            return false;
        }
    }
    return true;
}

/* What frees a device for another port. */
static void
try_optional(struct host *host, msec now)
{
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        struct entry *entry = &host->entries[i];

        if (entry->wanted->is_optional && is_due(entry, now)) {
            try_port(host, entry, now);
        }
    }
}

static bool
try_ports(struct host *host, msec now, msec end)
{
    try_optional(host, now);
    for (; host->next < host->wanted.n; host->next++) {
        if (is_due(&host->entries[host->next], now)) {
            try_port(host, &host->entries[host->next], now);
            if (clock_msec() >= end) {
                host->next++;
                return false;
            }
        }
    }
    host->next = 0;
    return true;
}

msec
host_run(struct host *host, msec now)
{
    msec end = now + HOST_SLICE_MS;
    msec next, nat_at;
    bool was_in_force;

    if (!take_outs(host, end)) {
        return now;
    }
    was_in_force = uplink_nat_is_in_force(host->nat);
    nat_at = uplink_nat_run(host->nat, now);
    if (!was_in_force && uplink_nat_is_in_force(host->nat)) {
        retry_failed(host);
    }
    if (!try_ports(host, now, end)) {
        return now;
    }
    check_some(host, now);
    next = MIN(nat_at, host->wanted.n ? host->check_at : INT64_MAX);
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        if (!is_done(&host->entries[i])) {
            next = MIN(next, MAX(host->entries[i].retry_at, now + 1));
        }
    }
    return next;
}

/* ---- What is known ---- */

bool
host_is_settled(const struct host *host)
{
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        if (!is_done(&host->entries[i])) {
            return false;
        }
    }
    return !host->n_outs;
}

static struct host_port_info
describe(const struct entry *entry)
{
    return (struct host_port_info) {
        .name = entry->wanted->name,
        .switch_name = entry->wanted->switch_name,
        .state = entry->state,
        .error = entry->error ? entry->error : "",
    };
}

bool
host_port_info(const struct host *host, const char *switch_name,
               struct host_port_info *info)
{
    const struct wanted_port *wanted = wanted_find(&host->wanted,
                                                   switch_name);

    if (!wanted) {
        return false;
    }
    *info = describe(&host->entries[wanted - host->wanted.list]);
    return true;
}

void
host_for_each_port(const struct host *host,
                   void (*take)(void *aux, const struct host_port_info *),
                   void *aux)
{
    for (unsigned int i = 0; i < host->wanted.n; i++) {
        const struct entry *entry = &host->entries[i];
        struct host_port_info info = describe(entry);

        /* One that turned out not to be needed is not missed. */
        if (!entry->wanted->is_optional || entry->is_in || entry->error) {
            take(aux, &info);
        }
    }
}

const struct host_nat *
host_nat(const struct host *host, const char **error)
{
    return uplink_nat_state(host->nat, error);
}
