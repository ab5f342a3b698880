#include "intent/object.h"

#include <ctype.h>
#include <stdlib.h>

#include "intent/schema.h"
#include "lib/hash.h"

/* Part of what cookies, MAC addresses and short names are made of: it never
 * changes. */
static const struct hash_key id_key = { UINT64_C(0x776566742d696431) };

enum { ID_BITS = 60 };

const char *
intent_kind_noun(enum intent_kind kind)
{
    static const char *const words[] = {
#define X(ID, NOUN, SECTION, TABLE) [ID] = NOUN,
        INTENT_KINDS(X)
#undef X
    };

    return words[kind];
}

const char *
intent_kind_section(enum intent_kind kind)
{
    static const char *const words[] = {
#define X(ID, NOUN, SECTION, TABLE) [ID] = SECTION,
        INTENT_KINDS(X)
#undef X
    };

    return words[kind];
}

uint64_t
intent_object_id(enum intent_kind kind, const char *name)
{
    struct hash_key key = {
        hash_bytes(id_key, intent_kind_noun(kind),
                   strlen(intent_kind_noun(kind))),
    };
    uint64_t hash = hash_bytes(key, name, strlen(name));

    return (hash & ((UINT64_C(1) << ID_BITS) - 1))
           | ((uint64_t) kind + 1) << ID_BITS;
}

struct eth_addr
intent_object_mac(const struct intent_object *object)
{
    /* Without the kind's number, which changes when kinds are added. */
    uint64_t hash = hash_u64(id_key,
                             object->id & ((UINT64_C(1) << ID_BITS) - 1));
    struct eth_addr mac = { { 0x02 } };

    memcpy(&mac.b[1], &hash, 5);
    return mac;
}

bool
intent_name_is_valid(const char *name, const char **why)
{
    size_t len = strlen(name);
    const char *fault = NULL;

    if (!len || len >= INTENT_NAME_MAX) {
        fault = "it has 1 to 63 characters";
    }
    for (size_t i = 0; !fault && i < len; i++) {
        if (!islower((unsigned char) name[i])
            && !isdigit((unsigned char) name[i]) && name[i] != '-') {
            fault = "only a-z, 0-9 and - can be in it";
        }
    }
    if (!fault && (name[0] == '-' || name[len - 1] == '-')) {
        fault = "it begins and ends with a letter or digit";
    }
    if (why) {
        *why = fault;
    }
    return !fault;
}

struct intent_object *
intent_object_create(enum intent_kind kind, const char *name)
{
    struct intent_object *object = xzalloc(intent_noun(kind)->size);

    assert(intent_name_is_valid(name, NULL));
    object->kind = kind;
    object->n_refs = 1;
    object->id = intent_object_id(kind, name);
    strcpy(object->name, name);
    return object;
}

struct intent_object *
intent_object_ref(const struct intent_object *object)
{
    struct intent_object *o = (struct intent_object *) (uintptr_t) object;

    __atomic_add_fetch(&o->n_refs, 1, __ATOMIC_RELAXED);
    return o;
}

void
intent_object_unref(const struct intent_object *object)
{
    struct intent_object *o = (struct intent_object *) (uintptr_t) object;

    if (!o || __atomic_sub_fetch(&o->n_refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    if (intent_noun(o->kind)->fini) {
        intent_noun(o->kind)->fini(o);
    }
    free((char *) (uintptr_t) o->place.file);
    free(o->places);
    free(o);
}
