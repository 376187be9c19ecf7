// The button that chooses how the page reaches the device, and says what kind of link it has.

import { ServiceState, device, viewer } from "./transport.js";

const STORAGE_KEY = "edge-agent.way.1";
const STATES = {
    [ServiceState.preparing]: ["opening", "Looking for a way to the device"],
    [ServiceState.startError]: ["failed", "There is no way to the device"],
    [ServiceState.error]: ["failed", "The link to the device was lost"],
    [ServiceState.idle]: ["idle", "No link is needed now"],
};

export class WayButton {
    /// onChange() is called when another way has been chosen. `?p2p` in the page's address chooses for this visit.
    constructor(button, onChange) {
        this.button = button;
        button.hidden = typeof RTCPeerConnection !== "function";
        if (button.hidden) return;
        device.isPeer = new URLSearchParams(location.search).has("p2p") || this.remembered;
        device.addEventListener("link", ({ detail }) => this.tell(detail));
        button.addEventListener("click", () => {
            device.isPeer = !device.isPeer;
            this.remembered = device.isPeer;
            this.show("idle", "");
            onChange();
        });
        this.show("idle", "");
    }

    /// Storage may be full, or switched off; the page works without.
    get remembered() {
        try {
            return localStorage.getItem(STORAGE_KEY) === "peer";
        } catch {
            return false;
        }
    }

    set remembered(isPeer) {
        try {
            if (isPeer) localStorage.setItem(STORAGE_KEY, "peer");
            else localStorage.removeItem(STORAGE_KEY);
        } catch {
            // Only the memory of the choice is lost.
        }
    }

    async tell(state) {
        if (!device.isPeer) return;
        if (state !== ServiceState.connected) {
            this.show(...STATES[state] ?? ["opening", ""]);
            return;
        }
        this.show("connected", "Linked to the device");
        const route = await viewer.getRoute(await device.link()).catch(() => null);
        if (!route || this.button.dataset.state !== "connected") return;
        const time = route.roundTripSeconds === undefined ? "" : `, ${Math.round(1000 * route.roundTripSeconds)} ms there and back`;
        this.show("connected", `Linked ${route.isRelayed ? "through a relay" : "directly"}${time}`);
    }

    show(state, text) {
        this.button.dataset.state = state;
        this.button.setAttribute("aria-pressed", String(device.isPeer));
        this.button.title = text || (device.isPeer ? "Everything goes over one link; click for connections of their own"
            : "Click to reach the device over one peer-to-peer link");
        this.button.setAttribute("aria-label", `Peer to peer: ${device.isPeer ? text || "on" : "off"}`);
    }
}
