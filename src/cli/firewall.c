#include "cli/firewall.h"

#include "packet/address.h"

/* How sure we are that a match holds. */
enum answer { NO, MAYBE, YES };

/* What became of the packet in a chain. */
enum outcome { GOES_ON, ACCEPTED, STOPPED };

enum { MAX_DEPTH = 16 };          /* as the kernel's: chains that jump */

struct walk {
    const json_t *objects;        /* the ruleset's list */
    const struct firewall_packet *packet;
    bool may_be_stopped;          /* by a rule that may match */
    bool may_be_accepted;
    bool is_translated;           /* or may be */
    struct str *who;
};

static const char *
text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static enum answer
answer_not(enum answer answer)
{
    return answer == YES ? NO : answer == NO ? YES : MAYBE;
}

static enum answer
answer_of(bool holds)
{
    return holds ? YES : NO;
}

/* ---- Values ---- */

/* What of the packet the left side names; false: nothing that we know of. */
static bool
known_value(const struct firewall_packet *packet, const json_t *left,
            const char **value)
{
    const char *meta = text_at(json_object_get(left, "meta"), "key");
    const char *ct = text_at(json_object_get(left, "ct"), "key");
    const json_t *payload = json_object_get(left, "payload");
    bool is_ip = !strcmp(text_at(payload, "protocol"), "ip");
    const char *field = text_at(payload, "field");

    *value = !strcmp(meta, "iifname") || !strcmp(meta, "iif")   ? packet->in
             : !strcmp(meta, "oifname") || !strcmp(meta, "oif") ? packet->out
             : !strcmp(meta, "nfproto")                         ? "ipv4"
             : !strcmp(ct, "state")                             ? "new"
             : !strcmp(ct, "status")
                   ? (packet->status ? packet->status : "none")
             : is_ip && !strcmp(field, "saddr") ? packet->from
             : is_ip && !strcmp(field, "daddr") ? packet->to
                                                : NULL;
    return *value;
}

static bool
is_within(const char *value, const char *network, json_int_t len)
{
    be32 a, b;

    return ip4_parse(value, &a) && ip4_parse(network, &b) && len >= 0
           && len <= 32 && ip4_is_within(a, b, (uint8_t) len);
}

static bool
is_between(const char *value, const json_t *range)
{
    const char *first = json_string_value(json_array_get(range, 0));
    const char *last = json_string_value(json_array_get(range, 1));
    be32 a, b, c;

    return first && last && ip4_parse(value, &a) && ip4_parse(first, &b)
           && ip4_parse(last, &c) && be32toh(a) >= be32toh(b)
           && be32toh(a) <= be32toh(c);
}

/* "docker0", "veth*". */
static bool
is_text(const char *value, const char *pattern)
{
    size_t len = strlen(pattern);

    return len && pattern[len - 1] == '*'
           ? !strncmp(value, pattern, len - 1) : !strcmp(value, pattern);
}

static enum answer
holds(const char *value, const json_t *right)
{
    const json_t *prefix = json_object_get(right, "prefix");
    const json_t *range = json_object_get(right, "range");
    const json_t *list = json_is_array(right)
                         ? right : json_object_get(right, "set");
    const char *text = json_string_value(right);
    enum answer best = NO;
    const json_t *item;
    size_t i;

    if (text) {
        return text[0] == '@' ? MAYBE : answer_of(is_text(value, text));
    }
    if (prefix) {
        return answer_of(is_within(
            value, text_at(prefix, "addr"),
            json_integer_value(json_object_get(prefix, "len"))));
    }
    if (range) {
        return answer_of(is_between(value, range));
    }
    if (!list) {
        return MAYBE;
    }
    json_array_foreach (list, i, item) {
        enum answer answer = holds(value, item);

        best = MAX(best, answer);
    }
    return best;
}

static enum answer
match_holds(const struct firewall_packet *packet, const json_t *match)
{
    const char *op = text_at(match, "op"), *value;
    enum answer answer;

    if (!known_value(packet, json_object_get(match, "left"), &value)) {
        return MAYBE;
    }
    answer = holds(value, json_object_get(match, "right"));
    return !strcmp(op, "==") || !strcmp(op, "in") ? answer
           : !strcmp(op, "!=")                    ? answer_not(answer)
                                                  : MAYBE;
}

/* ---- Rules ---- */

static enum outcome walk_chain(struct walk *, const json_t *rule_or_chain,
                               const char *chain, unsigned int depth);

static void
name_rule(struct walk *walk, const json_t *rule)
{
    str_setf(walk->who, "%s %s %s (rule of handle %lld)",
             text_at(rule, "family"), text_at(rule, "table"),
             text_at(rule, "chain"),
             (long long) json_integer_value(json_object_get(rule,
                                                            "handle")));
}

/* What a statement that decides does, if its rule holds. */
static enum outcome
decide(struct walk *walk, const json_t *rule, const json_t *statement,
       enum answer matched, unsigned int depth, bool *is_over)
{
    const json_t *target = json_object_get(statement, "jump");
    const json_t *go = json_object_get(statement, "goto");
    enum outcome outcome = GOES_ON;

    if (json_object_get(statement, "drop")
        || json_object_get(statement, "reject")) {
        outcome = STOPPED;
        if (matched == MAYBE && !walk->may_be_stopped) {
            walk->may_be_stopped = true;
            name_rule(walk, rule);
        } else if (matched == YES) {
            name_rule(walk, rule);
        }
    } else if (json_object_get(statement, "masquerade")
               || json_object_get(statement, "snat")) {
        outcome = ACCEPTED;       /* what a chain of type nat is asked for */
        walk->is_translated = walk->is_translated || matched != NO;
        name_rule(walk, rule);
    } else if (json_object_get(statement, "accept")) {
        outcome = ACCEPTED;
        walk->may_be_accepted = walk->may_be_accepted || matched == MAYBE;
    } else if (target || go) {
        outcome = walk_chain(walk, rule, text_at(target ? target : go,
                                                 "target"), depth + 1);
        *is_over = go && matched == YES;
        if (matched == MAYBE) {
            walk->may_be_stopped = walk->may_be_stopped || outcome == STOPPED;
            walk->may_be_accepted = walk->may_be_accepted
                                    || outcome == ACCEPTED;
        }
    } else if (json_object_get(statement, "return")) {
        *is_over = matched == YES;
    }
    return matched == YES ? outcome : GOES_ON;
}

/* { ct state : { new : jump x, ... } } */
static enum outcome
walk_map(struct walk *walk, const json_t *rule, const json_t *map,
         enum answer matched, unsigned int depth, bool *is_over)
{
    const json_t *data = json_object_get(json_object_get(map, "data"),
                                         "set");
    const char *value;
    const json_t *pair;
    size_t i;

    if (!known_value(walk->packet, json_object_get(map, "key"), &value)) {
        value = NULL;
    }
    json_array_foreach (data, i, pair) {
        enum answer answer = value ? holds(value, json_array_get(pair, 0))
                                   : MAYBE;
        enum outcome outcome;

        if (answer == NO) {
            continue;
        }
        outcome = decide(walk, rule, json_array_get(pair, 1),
                         MIN(answer, matched), depth, is_over);
        if (outcome != GOES_ON || answer == YES) {
            return outcome;
        }
    }
    return GOES_ON;
}

static enum outcome
walk_rule(struct walk *walk, const json_t *rule, unsigned int depth,
          bool *is_over)
{
    const json_t *statements = json_object_get(rule, "expr"), *statement;
    enum outcome outcome = GOES_ON;
    enum answer matched = YES;
    size_t i;

    json_array_foreach (statements, i, statement) {
        const json_t *match = json_object_get(statement, "match");
        const json_t *map = json_object_get(statement, "vmap");

        if (match) {
            enum answer answer = match_holds(walk->packet, match);

            matched = MIN(matched, answer);
        } else if (json_object_get(statement, "xt")
                   || json_object_get(statement, "limit")) {
            matched = MIN(matched, MAYBE);
        } else if (map) {
            outcome = walk_map(walk, rule, map, matched, depth, is_over);
        } else {
            outcome = decide(walk, rule, statement, matched, depth, is_over);
        }
        if (matched == NO || outcome != GOES_ON || *is_over) {
            break;
        }
    }
    return outcome;
}

/* The chain of that name in the table which `near`, a rule or a chain, is in. */
static enum outcome
walk_chain(struct walk *walk, const json_t *near, const char *chain,
           unsigned int depth)
{
    const json_t *object;
    size_t i;

    if (depth > MAX_DEPTH) {
        return GOES_ON;
    }
    json_array_foreach (walk->objects, i, object) {
        const json_t *rule = json_object_get(object, "rule");
        bool is_over = false;
        enum outcome outcome;

        if (!rule || strcmp(text_at(rule, "chain"), chain)
            || strcmp(text_at(rule, "table"), text_at(near, "table"))
            || strcmp(text_at(rule, "family"), text_at(near, "family"))) {
            continue;
        }
        outcome = walk_rule(walk, rule, depth, &is_over);
        if (outcome != GOES_ON || is_over) {
            return outcome;
        }
    }
    return GOES_ON;
}

/* ---- Chains ---- */

static enum firewall_verdict
ask_chain(const json_t *objects, const json_t *chain,
          const struct firewall_packet *packet, struct str *who)
{
    struct walk walk = { .objects = objects, .packet = packet, .who = who };
    enum outcome outcome = walk_chain(&walk, chain, text_at(chain, "name"),
                                      0);
    bool drops = !strcmp(text_at(chain, "policy"), "drop");

    if (outcome == GOES_ON && drops) {
        str_setf(who, "%s %s %s (policy drop)", text_at(chain, "family"),
                 text_at(chain, "table"), text_at(chain, "name"));
        outcome = STOPPED;
    }
    return outcome == STOPPED ? walk.may_be_accepted ? FIREWALL_MAY_STOP
                                                     : FIREWALL_STOPS
           : walk.may_be_stopped ? FIREWALL_MAY_STOP : FIREWALL_PASSES;
}

static bool
is_asked(const json_t *chain, const char *hook, const char *ours)
{
    const char *family = text_at(chain, "family");
    bool is_inet = !strcmp(family, "inet");

    return !strcmp(text_at(chain, "hook"), hook)
           && (is_inet || !strcmp(family, "ip"))
           && !(is_inet && !strcmp(text_at(chain, "table"), ours));
}

enum firewall_verdict
firewall_ask(const json_t *ruleset, const char *hook, const char *ours,
             const struct firewall_packet *packet, struct str *who)
{
    const json_t *objects = json_object_get(ruleset, "nftables"), *object;
    enum firewall_verdict worst = FIREWALL_PASSES;
    size_t i;

    json_array_foreach (objects, i, object) {
        const json_t *chain = json_object_get(object, "chain");
        enum firewall_verdict verdict;
        struct str by = STR_INIT;

        if (!is_asked(chain, hook, ours)) {
            continue;
        }
        verdict = ask_chain(objects, chain, packet, &by);
        if (verdict > worst) {
            worst = verdict;
            str_setf(who, "%s", str_text(&by));
        }
        str_fini(&by);
    }
    return worst;
}

bool
firewall_translates(const json_t *ruleset, const char *ours,
                    const struct firewall_packet *packet, struct str *who)
{
    const json_t *objects = json_object_get(ruleset, "nftables"), *object;
    size_t i;

    json_array_foreach (objects, i, object) {
        const json_t *chain = json_object_get(object, "chain");
        struct walk walk = {
            .objects = objects, .packet = packet, .who = who,
        };

        if (is_asked(chain, "postrouting", ours)
            && json_integer_value(json_object_get(chain, "prio"))
                   < FIREWALL_OUR_PRIORITY) {
            walk_chain(&walk, chain, text_at(chain, "name"), 0);
            if (walk.is_translated) {
                return true;
            }
        }
    }
    return false;
}

bool
firewall_has_table(const json_t *ruleset, const char *family,
                   const char *name)
{
    const json_t *objects = json_object_get(ruleset, "nftables"), *object;
    size_t i;

    json_array_foreach (objects, i, object) {
        const json_t *table = json_object_get(object, "table");

        if (!strcmp(text_at(table, "family"), family)
            && !strcmp(text_at(table, "name"), name)) {
            return true;
        }
    }
    return false;
}

bool
firewall_has_chain(const json_t *ruleset, const char *name)
{
    const json_t *objects = json_object_get(ruleset, "nftables"), *object;
    size_t i;

    json_array_foreach (objects, i, object) {
        if (!strcmp(text_at(json_object_get(object, "chain"), "name"),
                    name)) {
            return true;
        }
    }
    return false;
}
