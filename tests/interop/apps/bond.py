"""Link aggregation by os-ken's LACP library, which answers the other side and
says which links of the bond may be used."""

from os_ken.controller import ofp_event
from os_ken.controller.handler import set_ev_cls
from os_ken.lib import lacplib
from os_ken.lib.packet import slow

from base import App, say, setting

# A link is given up after three of these, and a test waits for it.
slow.lacp.SHORT_TIMEOUT_TIME = 1


class Bond(App):
    _CONTEXTS = {"lacplib": lacplib.LacpLib}
    _on_packet_in = None                # The library's.

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = [int(p) for p in setting("ports").split(",")]
        kwargs["lacplib"].add(int(setting("dpid")), self.ports)

    def on_switch(self, dp):
        self.send_unmatched_here(dp)

    @set_ev_cls(ofp_event.EventOFPStateChange, lacplib.MAIN_DISPATCHER)
    def _on_ready(self, ev):
        """The library names the system by a port that switches need not
        have."""
        ports = ev.datapath.ports
        ports.setdefault(ev.datapath.ofproto.OFPP_LOCAL, ports[3])

    @set_ev_cls(lacplib.EventSlaveStateChanged, lacplib.MAIN_DISPATCHER)
    def _on_link(self, ev):
        say("link", port=ev.port, enabled=ev.enabled)

    @set_ev_cls(lacplib.EventPacketIn, lacplib.MAIN_DISPATCHER)
    def _on_other_packet(self, ev):
        self.take_packet(ev.msg)
