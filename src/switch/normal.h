/* NORMAL: a learning bridge that knows VLANs (802.1Q), as the action
 * output:NORMAL and the first entry of a new switch.
 *
 * Ports, as Open vSwitch's users know them:
 *
 *   access           one VLAN, its frames without a tag; takes no other tag
 *   trunk            the VLANs of its list (or all), with their tags; frames
 *                    without a tag are VLAN 0
 *   native-tagged    a trunk that puts frames without a tag into its VLAN
 *   native-untagged  and sends those of that VLAN without a tag
 *
 * A tag with VID 0 carries a priority only: the frame counts as untagged, and
 * the tag is taken off or given the VLAN's VID.
 *
 * A frame from a group address, or to one that bridges keep to themselves, is
 * dropped.  Frames of a station are learned (fdb.h); frames to an unknown one or
 * to a group are flooded in the VLAN, but not between protected ports nor to
 * ports with no_flood.
 *
 * The answer depends on the fdb, so it is marked as having looked into
 * TABLE_OF_NORMAL: changes of the fdb drop just the answers to and from the
 * stations that changed. */
#ifndef WEFT_SWITCH_NORMAL_H
#define WEFT_SWITCH_NORMAL_H

struct translation;

void normal_translate(struct translation *);

#endif
