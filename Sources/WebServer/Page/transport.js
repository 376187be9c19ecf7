// How the page reaches the device: each thing over a connection of its own (HTTP, WebSockets), or everything over
// peer-to-peer links. Both ways have the same functions, so that the rest of the page does not know which it is.

import { access } from "./access.js";
import { ServiceState, StreamSocket, viewer } from "./edge-agent-viewer.js";

/// What may wait before sound is let go: about a second.
const MAX_WAITING_BYTES = 64 << 10;

/// A number of its own for whoever plays or turns: over HTTP the device knows viewers by these.
export const newVisitor = () => 1 + Math.floor(Math.random() * 0xffff_fffe);

/// Whoever asks is `who`: { visitor, lane }. Over HTTP it is a visitor by its number; over links it is the lane's link.
class OverHTTP {
    async command(text, { visitor = 0 } = {}) {
        const response = await access.fetch("command", {
            method: "POST", keepalive: true, headers: { "X-Visitor": visitor, "Content-Type": "text/plain" }, body: text,
        });
        if (!response.ok) throw new Error(`the device answered with status ${response.status}`);
        return response.json();
    }

    /// As long as it is open the device knows that the visitor is there; close() ends it.
    listen({ visitor }) {
        return access.webSocket(`feedback?_visitor=${visitor}`);
    }

    /// onOpen() once the device's speaker is open, onEnd(reason) when the device ends it. Gives { send(samples), close() }.
    openVoice(rate, { onOpen, onEnd }) {
        const socket = access.webSocket(`voice?channel=0&rate=${rate}`);
        socket.addEventListener("message", ({ data }) => JSON.parse(data).state === "open" && onOpen());
        socket.addEventListener("close", ({ reason }) => onEnd(reason));
        return {
            send: (samples) => {
                if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_WAITING_BYTES) socket.send(samples);
            },
            close: () => socket.close(1000),
        };
    }
}

class OverLinks {
    /// onState(state) is told of the first link.
    constructor(onState) {
        const fragment = new URLSearchParams(location.hash.slice(1));
        this.lanes = new Set();
        this.info = (lane) => ({
            // A token makes a link, too.
            ticket: fragment.get("ticket") ?? undefined, headers: access.headers, reconnect: false,
            callbacks: { onStateChange: (state) => lane === 0 && onState(state) },
        });
    }

    name(lane) {
        this.lanes.add(lane);
        return `device-${lane}`;
    }

    /// Resolves with the link's name, once there is one.
    async link(lane = 0) {
        const { callbacks, ...info } = this.info(lane);
        await viewer.ensureP2PService(this.name(lane), info, callbacks);
        return this.name(lane);
    }

    openStream(address, lane) {
        return new StreamSocket(viewer, this.name(lane), address.search.slice(1), this.info(lane));
    }

    async command(text, { lane = 0 } = {}) {
        const reply = await viewer.sendCommand(await this.link(lane), text);
        if (reply.type !== "success") throw new Error(reply.errmsg || `the device answered with status ${reply.status}`);
        return JSON.parse(reply.data);
    }

    /// A link is heard as long as it is there.
    listen() {
        return { close() {} };
    }

    openVoice(rate, { onOpen, onEnd }) {
        let writer = null;
        let closed = false;
        const start = async () => {
            const link = await this.link();
            writer = await viewer.startVoice(link, { channel: 0, rate }, {
                onStop: ({ reason }) => closed || onEnd(reason),
            });
            if (closed) writer.stop();
            else onOpen();
        };
        start().catch((error) => closed || onEnd(error.message));
        return {
            send: (samples) => writer?.addChunk(samples),
            close: () => {
                closed = true;
                writer?.stop();
            },
        };
    }

    rest() {
        for (const lane of this.lanes) viewer.stopP2PService(this.name(lane));
        this.lanes.clear();
    }
}

/// The device, whichever way it is reached.
class Device extends EventTarget {
    constructor() {
        super();
        this.overHTTP = new OverHTTP();
        this.overLinks = new OverLinks((state) => this.dispatchEvent(new CustomEvent("link", { detail: state })));
        this.isPeer = false;
    }

    get way() { return this.isPeer ? this.overLinks : this.overHTTP; }

    openStream(address, lane) { return this.overLinks.openStream(address, lane); }
    command(text, who) { return this.way.command(text, who); }
    listen(who) { return this.way.listen(who); }
    openVoice(rate, callbacks) { return this.way.openVoice(rate, callbacks); }
    link() { return this.overLinks.link(); }

    /// Links are let go of until something is wanted again: the device need not keep them.
    rest() { this.overLinks.rest(); }
}

export const device = new Device();
export { ServiceState, viewer };
