#include "controller/lease6_store.h"

#include <stdio.h>

#include "intent/object.h"
#include "lib/log.h"
#include "packet/address.h"
#include "service/lease6_record.h"

enum { KEY_SIZE = 9 + INTENT_NAME_MAX + ADDRESS_TEXT_SIZE };

static void
make_prefix(const char *network, char prefix[KEY_SIZE])
{
    snprintf(prefix, KEY_SIZE, "lease6/%s/", network);
}

void
lease6_store_add(struct store_txn *txn, const char *network,
                 const struct lease6_change *change)
{
    uint8_t value[LEASE6_RECORD_MAX];
    char text[ADDRESS_TEXT_SIZE], key[KEY_SIZE];

    snprintf(key, sizeof key, "lease6/%s/%s", network,
             ip6_format(change->record.addr, text));
    if (change->is_removal) {
        store_txn_delete(txn, key, STORE_ANY);
    } else {
        store_txn_put(txn, key, value,
                      lease6_record_encode(&change->record, value),
                      STORE_ANY);
    }
}

void
lease6_store_forget(const struct store *store, struct store_txn *txn,
                    const char *network)
{
    char prefix[KEY_SIZE];

    make_prefix(network, prefix);
    STORE_FOR_EACH (entry, store, prefix) {
        store_txn_delete(txn, entry->key, STORE_ANY);
    }
}

void
lease6_store_load(const struct store *store, const char *network,
                  struct lease6_table *leases)
{
    char prefix[KEY_SIZE];

    make_prefix(network, prefix);
    STORE_FOR_EACH (entry, store, prefix) {
        struct lease6_record record;
        int err = lease6_record_decode(entry->value, entry->value_size,
                                       &record);

        if (!err) {
            err = lease6_import(leases, &record);
        }
        if (err) {
            log_limited(LOG_LEVEL_WARN, "dhcp6",
                        "the store's '%s' is no lease: %s", entry->key,
                        strerror(-err));
        }
    }
}
