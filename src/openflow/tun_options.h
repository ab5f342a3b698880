/* Which of a tunnel's options (tun_metadata0...) a match or a list of actions
 * speaks of: bit n for tun_metadata<n>.  They mean something only while the
 * switch maps an option to the field (switch/tlv_map.h). */
#ifndef WEFT_OPENFLOW_TUN_OPTIONS_H
#define WEFT_OPENFLOW_TUN_OPTIONS_H

#include "openflow/action.h"
#include "openflow/match.h"

uint32_t match_tun_options(const struct match *);
/* With what is nested. */
uint32_t action_list_tun_options(struct action_list);

#endif
