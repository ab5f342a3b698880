#include "controller/lease_store.h"

#include <stdio.h>

#include "intent/object.h"
#include "lib/log.h"
#include "packet/address.h"
#include "service/lease_record.h"

enum { KEY_SIZE = 8 + INTENT_NAME_MAX + ADDRESS_TEXT_SIZE };

static void
make_prefix(const char *network, char prefix[KEY_SIZE])
{
    snprintf(prefix, KEY_SIZE, "lease/%s/", network);
}

void
lease_store_add(struct store_txn *txn, const char *network,
                const struct lease_change *change)
{
    uint8_t value[LEASE_RECORD_MAX];
    char text[ADDRESS_TEXT_SIZE], key[KEY_SIZE];

    snprintf(key, sizeof key, "lease/%s/%s", network,
             ip4_format(change->record.addr, text));
    if (change->is_removal) {
        store_txn_delete(txn, key, STORE_ANY);
    } else {
        store_txn_put(txn, key, value,
                      lease_record_encode(&change->record, value),
                      STORE_ANY);
    }
}

void
lease_store_forget(const struct store *store, struct store_txn *txn,
                   const char *network)
{
    char prefix[KEY_SIZE];

    make_prefix(network, prefix);
    STORE_FOR_EACH (entry, store, prefix) {
        store_txn_delete(txn, entry->key, STORE_ANY);
    }
}

void
lease_store_load(const struct store *store, const struct dhcp_scope *scope,
                 unix_sec now)
{
    char prefix[KEY_SIZE];

    make_prefix(scope->name, prefix);
    STORE_FOR_EACH (entry, store, prefix) {
        struct lease_record record;
        int err = lease_record_decode(entry->value, entry->value_size,
                                      &record);

        if (!err) {
            err = lease_import(dhcp_scope_leases(scope, record.addr), &record,
                               now);
        }
        if (err) {
            log_limited(LOG_LEVEL_WARN, "dhcp",
                        "the store's '%s' is no lease: %s", entry->key,
                        strerror(-err));
        }
    }
}
