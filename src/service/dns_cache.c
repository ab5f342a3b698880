#include "service/dns_cache.h"

#include <stdlib.h>

#include "lib/hash.h"

enum { WAYS = 4 };

struct place {
    uint8_t *message;             /* NULL: empty */
    size_t len;
    msec began, ends;
    struct dns_cache_key key;
};

struct dns_cache {
    struct hash_key hash_key;
    unsigned int n_sets;
    struct place *places;         /* n_sets * WAYS */
};

struct dns_cache *
dns_cache_create(unsigned int n)
{
    struct dns_cache *cache = xzalloc(sizeof *cache);

    cache->hash_key = hash_key_random();
    cache->n_sets = (n + WAYS - 1) / WAYS;
    cache->places = xcalloc(cache->n_sets * WAYS + 1, sizeof *cache->places);
    return cache;
}

void
dns_cache_clear(struct dns_cache *cache)
{
    for (unsigned int i = 0; i < cache->n_sets * WAYS; i++) {
        free(cache->places[i].message);
        cache->places[i].message = NULL;
    }
}

void
dns_cache_destroy(struct dns_cache *cache)
{
    if (cache) {
        dns_cache_clear(cache);
        free(cache->places);
        free(cache);
    }
}

static struct place *
find_set(const struct dns_cache *cache, const struct dns_cache_key *key)
{
    struct dns_name name = key->name;
    uint64_t hash;

    if (!cache->n_sets) {
        return NULL;
    }
    dns_name_fold(&name);
    hash = hash_bytes(cache->hash_key, name.wire, name.len);
    hash = hash_step(cache->hash_key, hash, key->network);
    hash = hash_step(cache->hash_key, hash, key->type);
    return &cache->places[hash % cache->n_sets * WAYS];
}

static bool
key_eq(const struct dns_cache_key *a, const struct dns_cache_key *b)
{
    return a->network == b->network && a->type == b->type
           && a->dnssec_ok == b->dnssec_ok
           && a->checking_disabled == b->checking_disabled
           && dns_name_eq(&a->name, &b->name);
}

/* The one that holds it already, an empty one, or the one that ends first. */
static struct place *
choose_place(struct place *set, const struct dns_cache_key *key)
{
    struct place *chosen = &set[0];

    for (unsigned int i = 0; i < WAYS; i++) {
        struct place *p = &set[i];

        if (p->message && key_eq(&p->key, key)) {
            return p;
        }
        if (chosen->message && (!p->message || p->ends < chosen->ends)) {
            chosen = p;
        }
    }
    return chosen;
}

void
dns_cache_put(struct dns_cache *cache, const struct dns_cache_key *key,
              const void *message, size_t len, msec now, uint32_t ttl)
{
    struct place *set = find_set(cache, key), *p;

    if (!set || !ttl) {
        return;
    }
    p = choose_place(set, key);
    free(p->message);
    p->message = xmemdup(message, len);
    p->len = len;
    p->began = now;
    p->ends = now + (msec) ttl * 1000;
    p->key = *key;
}

const uint8_t *
dns_cache_get(const struct dns_cache *cache, const struct dns_cache_key *key,
              msec now, size_t *len, uint32_t *age)
{
    const struct place *set = find_set(cache, key);

    for (unsigned int i = 0; set && i < WAYS; i++) {
        const struct place *p = &set[i];

        if (p->message && p->ends > now && key_eq(&p->key, key)) {
            *len = p->len;
            *age = (uint32_t) ((now - p->began) / 1000);
            return p->message;
        }
    }
    return NULL;
}
