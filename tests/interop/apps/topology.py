"""Says which links os-ken's topology discovery finds by LLDP."""

from os_ken.controller.handler import set_ev_cls
from os_ken.topology import event, switches

from base import App, say

# A link that nothing came by for so long is gone; in seconds.
switches.Switches.TIMEOUT_CHECK_PERIOD = 0.1
switches.Switches.LINK_TIMEOUT = 1.0


class Topology(App):
    def on_packet(self, dp, in_port, pkt, msg):
        pass

    @set_ev_cls(event.EventLinkAdd)
    def _on_link(self, ev):
        say("link", **self.ends(ev.link))

    @set_ev_cls(event.EventLinkDelete)
    def _on_link_gone(self, ev):
        say("link gone", **self.ends(ev.link))

    @staticmethod
    def ends(link):
        return {"dpid": link.src.dpid, "port": link.src.port_no,
                "to": link.dst.dpid, "to_port": link.dst.port_no}
