#include "intent/value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- What every kind does ---- */

bool
value_wrong(const struct node *node, const char *what,
            struct diagnostics *diagnostics)
{
    node_error(node, diagnostics, "'%s' is not %s", node->text, what);
    return false;
}

bool
value_is_scalar(const struct node *node, const char *what,
                struct diagnostics *diagnostics)
{
    static const char *const kinds[] = {
        [NODE_LIST] = "a list", [NODE_MAP] = "a map",
    };

    if (node->kind == NODE_SCALAR) {
        return true;
    }
    if (node->kind == NODE_NULL) {
        node_error(node, diagnostics, "nothing is said, should be %s", what);
    } else {
        node_error(node, diagnostics, "is %s, should be %s",
                   kinds[node->kind], what);
    }
    return false;
}

const struct node *
value_first_item(const struct node *node)
{
    return node->kind == NODE_LIST ? node->first : node;
}

const struct node *
value_next_item(const struct node *list, const struct node *item)
{
    return list->kind == NODE_LIST ? item->next : NULL;
}

json_t *
schema_text(const char *pattern)
{
    struct str anchored = STR_INIT;
    json_t *schema;

    if (!pattern) {
        return json_pack("{s:s}", "type", "string");
    }
    str_addf(&anchored, "^(%s)$", pattern);
    schema = json_pack("{s:s, s:s}", "type", "string", "pattern",
                       str_text(&anchored));
    str_fini(&anchored);
    return schema;
}

json_t *
schema_either(json_t *a, json_t *b)
{
    return json_pack("{s:[o, o]}", "anyOf", a, b);
}

json_t *
schema_list(json_t *item, unsigned int max)
{
    json_t *list = json_pack("{s:s, s:O, s:i}", "type", "array", "items", item,
                             "maxItems", (int) max);

    return schema_either(item, list);
}

/* ---- Yes and no ---- */

static bool
parse_bool(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    static const char what[] = "true or false";
    bool is_not = member->type == &value_not;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (!strcmp(node->text, "true")) {
        *(bool *) value = !is_not;
    } else if (!strcmp(node->text, "false")) {
        *(bool *) value = is_not;
    } else {
        return value_wrong(node, what, diagnostics);
    }
    return true;
}

static json_t *
format_bool(const struct member *member, const void *value)
{
    return json_boolean(*(const bool *) value
                        != (member->type == &value_not));
}

static json_t *
schema_bool(const struct member *member UNUSED)
{
    return json_pack("{s:s}", "type", "boolean");
}

const struct value_type value_bool = {
    "true or false", parse_bool, format_bool, schema_bool,
};
const struct value_type value_not = {
    "true or false", parse_bool, format_bool, schema_bool,
};

/* ---- Numbers ---- */

bool
number_parse(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;

    if (!*text || (text[0] == '0' && text[1])) {
        return false;
    }
    for (; *text; text++) {
        if (!isdigit((unsigned char) *text) || n > (UINT64_MAX - 9) / 10) {
            return false;
        }
        n = n * 10 + (uint64_t) (*text - '0');
    }
    if (n > max) {
        return false;
    }
    *value = n;
    return true;
}

static void
store_unsigned(void *field, size_t size, uint64_t value)
{
    switch (size) {
    case 1: *(uint8_t *) field = (uint8_t) value; break;
    case 2: *(uint16_t *) field = (uint16_t) value; break;
    case 4: *(uint32_t *) field = (uint32_t) value; break;
    default: *(uint64_t *) field = value; break;
    }
}

static uint64_t
load_unsigned(const void *field, size_t size)
{
    switch (size) {
    case 1: return *(const uint8_t *) field;
    case 2: return *(const uint16_t *) field;
    case 4: return *(const uint32_t *) field;
    default: return *(const uint64_t *) field;
    }
}

static bool
parse_number(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    char what[64];
    uint64_t n;

    snprintf(what, sizeof what, "a number from %" PRId64 " to %" PRId64,
             member->min, member->max);
    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (!number_parse(node->text, (uint64_t) member->max, &n)
        || n < (uint64_t) member->min) {
        return value_wrong(node, what, diagnostics);
    }
    store_unsigned(value, member->size, n);
    return true;
}

static json_t *
format_number(const struct member *member, const void *value)
{
    return json_integer((json_int_t) load_unsigned(value, member->size));
}

static json_t *
schema_number(const struct member *member)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer",
                     "minimum", (json_int_t) member->min,
                     "maximum", (json_int_t) member->max);
}

const struct value_type value_number = {
    "a number", parse_number, format_number, schema_number,
};

/* ---- Words ---- */

/* Others read a bare `off` as false before they hand it on as JSON. */
static const char *
meant_word(const char *text)
{
    return !strcmp(text, "false") ? "off" : text;
}

static bool
parse_choice(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct str what = STR_INIT;
    bool good = false;

    str_add(&what, "one of");
    for (size_t i = 0; member->words[i]; i++) {
        str_addf(&what, "%s %s", i ? "," : "", member->words[i]);
    }
    if (value_is_scalar(node, str_text(&what), diagnostics)) {
        for (size_t i = 0; member->words[i] && !good; i++) {
            good = !strcmp(meant_word(node->text), member->words[i]);
            if (good) {
                store_unsigned(value, member->size, i);
            }
        }
        if (!good) {
            diag_add_nearest(&what, node->text, member->words);
            value_wrong(node, str_text(&what), diagnostics);
        }
    }
    str_fini(&what);
    return good;
}

static json_t *
format_choice(const struct member *member, const void *value)
{
    return json_string(member->words[load_unsigned(value, member->size)]);
}

static json_t *
schema_choice(const struct member *member)
{
    json_t *words = json_array();

    for (size_t i = 0; member->words[i]; i++) {
        json_array_append_new(words, json_string(member->words[i]));
        if (!strcmp(member->words[i], "off")) {
            json_array_append_new(words, json_false());
        }
    }
    return json_pack("{s:o}", "enum", words);
}

const struct value_type value_choice = {
    "a word", parse_choice, format_choice, schema_choice,
};

/* ---- Texts ---- */

static json_t *
format_text(const struct member *member UNUSED, const void *value)
{
    const char *text = value;

    return *text ? json_string(text) : NULL;
}

static bool
store_text(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    size_t len = strlen(node->text);

    if (len >= member->size) {
        node_error(node, diagnostics, "is %zu bytes long, at most %zu fit",
                   len, member->size - 1);
        return false;
    }
    memcpy(value, node->text, len + 1);
    return true;
}

static bool
parse_text(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    if (!value_is_scalar(node, "a text", diagnostics)) {
        return false;
    }
    if (!*node->text) {
        node_error(node, diagnostics, "is empty");
        return false;
    }
    for (const char *p = node->text; *p; p++) {
        if (!isprint((unsigned char) *p)) {
            node_error(node, diagnostics,
                       "has a character that is no printable ASCII");
            return false;
        }
    }
    return store_text(member, node, value, diagnostics);
}

static json_t *
schema_plain_text(const struct member *member)
{
    return json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1,
                     "maxLength", (int) member->size - 1);
}

const struct value_type value_text = {
    "a text", parse_text, format_text, schema_plain_text,
};

static bool
parse_name(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    const char *why;

    if (!value_is_scalar(node, "a name", diagnostics)) {
        return false;
    }
    if (!intent_name_is_valid(node->text, &why)) {
        node_error(node, diagnostics, "'%s' cannot be a name: %s", node->text,
                   why);
        return false;
    }
    return store_text(member, node, value, diagnostics);
}

static json_t *
schema_name(const struct member *member UNUSED)
{
    return json_pack("{s:s}", "$ref", "#/$defs/name");
}

const struct value_type value_name = {
    "a name", parse_name, format_text, schema_name,
};

bool
device_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    if (!len || len > 15 || !strcmp(name, ".") || !strcmp(name, "..")) {
        return false;
    }
    for (; *name; name++) {
        if (*name == '/' || *name == ':' || !isgraph((unsigned char) *name)) {
            return false;
        }
    }
    return true;
}

static bool
parse_device(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    static const char what[] = "the name of a network device";

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (!device_name_is_valid(node->text)) {
        return value_wrong(node, what, diagnostics);
    }
    return store_text(member, node, value, diagnostics);
}

static json_t *
schema_device(const struct member *member UNUSED)
{
    return schema_text("[!-.0-9;-~]{1,15}");
}

const struct value_type value_device = {
    "the name of a network device", parse_device, format_text, schema_device,
};

/* RFC 1123: labels of letters, digits and hyphens within. */
static bool
domain_is_valid(const char *text)
{
    size_t label_len = 0;

    for (const char *p = text;; p++) {
        if (*p == '.' || !*p) {
            if (!label_len || label_len > 63 || p[-1] == '-') {
                return false;
            }
            if (!*p) {
                return true;
            }
            label_len = 0;
        } else if (isalnum((unsigned char) *p) || (*p == '-' && label_len)) {
            label_len++;
        } else {
            return false;
        }
    }
}

static bool
parse_domain(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    if (!value_is_scalar(node, "a domain name", diagnostics)) {
        return false;
    }
    if (!domain_is_valid(node->text)) {
        return value_wrong(node, "a domain name", diagnostics);
    }
    return store_text(member, node, value, diagnostics);
}

static json_t *
schema_domain(const struct member *member UNUSED)
{
    return schema_text("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
                       "(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*");
}

const struct value_type value_domain = {
    "a domain name", parse_domain, format_text, schema_domain,
};

/* ---- Times and rates ---- */

struct unit {
    char letter;
    uint64_t factor;
};

/* From the largest. */
static const struct unit time_units[] = {
    { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
};
static const struct unit rate_units[] = {
    { 'T', UINT64_C(1000000000000) }, { 'G', 1000000000 }, { 'M', 1000000 },
    { 'k', 1000 },
};

enum { RATE_MAX_DECIMALS = 3 };
static const uint64_t largest_value = UINT64_C(1000000000000000);

static uint64_t
unit_factor(const struct unit *units, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++) {
        if (units[i].letter == letter) {
            return units[i].factor;
        }
    }
    return 0;
}

/* "1h30m", "45s", "3600": each unit at most once, the larger first. */
bool
duration_parse(const char *text, uint64_t *seconds)
{
    uint64_t sum = 0, last = UINT64_MAX;

    if (number_parse(text, UINT32_MAX, seconds)) {
        return true;
    }
    do {
        uint64_t n, factor;
        char *end;

        if (!isdigit((unsigned char) *text)) {
            return false;
        }
        n = strtoull(text, &end, 10);
        factor = unit_factor(time_units, ARRAY_SIZE(time_units), *end);
        if (!factor || factor >= last || n > UINT32_MAX) {
            return false;
        }
        sum += n * factor;
        last = factor;
        text = end + 1;
    } while (*text);
    *seconds = sum;
    return true;
}

void
duration_format(uint64_t seconds, char text[VALUE_TEXT_SIZE])
{
    int len = 0;

    if (!seconds) {
        strcpy(text, "0s");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(time_units); i++) {
        uint64_t n = seconds / time_units[i].factor;

        if (n) {
            len += snprintf(text + len, (size_t) (VALUE_TEXT_SIZE - len),
                            "%" PRIu64 "%c", n, time_units[i].letter);
            seconds %= time_units[i].factor;
        }
    }
}

bool
rate_parse(const char *text, uint64_t *rate)
{
    uint64_t whole, factor = 1, fraction = 0, divisor = 1;
    char *end;

    if (!isdigit((unsigned char) *text)) {
        return false;
    }
    whole = strtoull(text, &end, 10);
    if (whole > largest_value) {
        return false;
    }
    if (*end == '.') {
        for (end++; isdigit((unsigned char) *end); end++) {
            fraction = fraction * 10 + (uint64_t) (*end - '0');
            divisor *= 10;
            if (divisor > 1000) {
                return false;
            }
        }
        if (divisor == 1 || !*end) {
            return false;
        }
    }
    if (*end) {
        factor = unit_factor(rate_units, ARRAY_SIZE(rate_units),
                             *end == 'K' ? 'k' : *end);
        if (!factor || end[1] || whole > largest_value / factor) {
            return false;
        }
    }
    *rate = whole * factor + fraction * (factor / divisor);
    return true;
}

void
rate_format(uint64_t rate, char text[VALUE_TEXT_SIZE])
{
    for (size_t i = 0; i < ARRAY_SIZE(rate_units); i++) {
        uint64_t factor = rate_units[i].factor;

        if (rate >= factor && !(rate % (factor / 10))) {
            uint64_t tenth = rate % factor / (factor / 10);

            if (tenth) {
                snprintf(text, VALUE_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 "%c",
                         rate / factor, tenth, rate_units[i].letter);
            } else {
                snprintf(text, VALUE_TEXT_SIZE, "%" PRIu64 "%c",
                         rate / factor, rate_units[i].letter);
            }
            return;
        }
    }
    snprintf(text, VALUE_TEXT_SIZE, "%" PRIu64, rate);
}

static bool
parse_duration(const struct member *member, const struct node *node,
               void *value, struct diagnostics *diagnostics)
{
    char least[VALUE_TEXT_SIZE], most[VALUE_TEXT_SIZE];
    uint64_t seconds;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!duration_parse(node->text, &seconds)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (seconds < (uint64_t) member->min || seconds > (uint64_t) member->max) {
        duration_format((uint64_t) member->min, least);
        duration_format((uint64_t) member->max, most);
        node_error(node, diagnostics, "'%s' is not between %s and %s",
                   node->text, least, most);
        return false;
    }
    *(uint32_t *) value = (uint32_t) seconds;
    return true;
}

static json_t *
format_duration(const struct member *member UNUSED, const void *value)
{
    char text[VALUE_TEXT_SIZE];

    duration_format(*(const uint32_t *) value, text);
    return json_string(text);
}

static json_t *
schema_duration(const struct member *member UNUSED)
{
    return schema_either(schema_text("([0-9]+[dhms])+"),
                         json_pack("{s:s, s:i}", "type", "integer", "minimum",
                                   0));
}

const struct value_type value_duration = {
    "a time like 90s, 1h30m or 7d", parse_duration, format_duration,
    schema_duration,
};
