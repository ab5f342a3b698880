/* The kinds of values that members have. */
#ifndef WEFT_INTENT_VALUE_H
#define WEFT_INTENT_VALUE_H

#include "intent/schema.h"

extern const struct value_type
    value_bool,                   /* bool */
    value_not,                    /* bool that is true when "false" is said */
    value_number,                 /* unsigned, of the member's size: min..max */
    value_choice,                 /* unsigned: the index in `words` */
    value_text,                   /* char[size]: printable */
    value_name,                   /* char[INTENT_NAME_MAX]: of an object */
    value_device,                 /* char[16]: of a network device */
    value_domain,                 /* char[size] */
    value_ip4,                    /* be32; 0: none */
    value_ip4_or_none,            /* and "none" is 0 */
    value_ip6,                    /* struct ip6_addr; all zero: none */
    value_ip6_or_none,
    value_ip,                     /* struct ip6_addr, IPv4 v4-mapped; all zero:
                                     none */
    value_mac,                    /* struct eth_addr: of one station */
    value_subnet4,                /* struct subnet4, without host bits */
    value_subnet6,
    value_prefix4,                /* struct subnet4: a station's address, and how
                                     much of it is its network's */
    value_prefix6,
    value_duration;               /* uint32_t seconds, min..max: 90s, 1h, 7d */

/* "'x' is not an IPv4 address", and false. */
bool value_wrong(const struct node *, const char *what, struct diagnostics *);
/* Is it a scalar?  Else says that it should be, `what`. */
bool value_is_scalar(const struct node *, const char *what,
                     struct diagnostics *);

/* A list, or one item that stands for a list of itself; NULL: there is none. */
const struct node *value_first_item(const struct node *);
const struct node *value_next_item(const struct node *list,
                                   const struct node *item);

enum { VALUE_TEXT_SIZE = 64 };

/* Decimal, no sign, no leading zero. */
bool number_parse(const char *text, uint64_t max, uint64_t *);
/* Bits per second: 500k, 100M, 1.5G. */
bool rate_parse(const char *text, uint64_t *);
void rate_format(uint64_t rate, char text[VALUE_TEXT_SIZE]);
bool duration_parse(const char *text, uint64_t *seconds);
void duration_format(uint64_t seconds, char text[VALUE_TEXT_SIZE]);
bool device_name_is_valid(const char *);

/* {"type": "string", "pattern": ...}; `pattern` may be NULL. */
json_t *schema_text(const char *pattern);
/* {"oneOf"...}-free: {"anyOf": [a, b]}; takes both over. */
json_t *schema_either(json_t *a, json_t *b);
/* One, or a list of at most `max`. */
json_t *schema_list(json_t *item, unsigned int max);
/* The patterns of addresses. */
#define PATTERN_IP4 "[0-9]{1,3}(\\.[0-9]{1,3}){3}"
#define PATTERN_IP6 "[0-9a-fA-F:]*:[0-9a-fA-F:.]*"
#define PATTERN_MAC "[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}"

#endif
