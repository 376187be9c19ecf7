// The viewer library of EdgeAgent: watches, speaks to, talks to and downloads from a device over one peer-to-peer link.
//
// Names, results, notifications and error numbers are those of the X-P2P plugin, so that who knows one knows the other.
// One data channel is one request: its label is the request, the device's first message a JSON head
// {"status":…,"headers":{…}}, what follows the body, and closing is the end.

export const ErrorCode = Object.freeze({
    ok: 0,
    badParameter: -2000,
    badInfo: -2001,
    notInitialised: -2002,
    startedTwice: -2003,
    unsupported: -2004,
    deviceTooOld: -2005,
    serviceStartedTwice: -2401,
    streamFailed: -2402,
    serviceNotStarted: -2403,
    noPeerToPeer: -2404,
    voiceFailed: -2601,
    downloadFailed: -2701,
    handOverFailed: -2801,
});

export const ServiceState = Object.freeze({
    idle: "ServiceIdle",
    waitInit: "ServiceWaitInit",
    preparing: "ServicePreparing",
    started: "ServiceStarted",
    startError: "ServiceStartError",
    connected: "ServiceConnected",
    error: "ServiceError",
});

// Milliseconds and bytes.
const CONNECT_MS = 20_000;
const GATHER_MS = 1000;
const COMMAND_MS = 7500;
const HEARTBEAT_MS = 2000;
const MISSED_HEARTBEATS = 3;
const VOICE_BUFFER_BYTES = 500 << 10;
const RETURN_MS = 5000;
// A path that breaks for a moment comes back by itself.
const DISCONNECTED_MS = 3000;
const RECONNECT_MS = [0, 1000, 2000, 4000, 8000];
const RECONNECT_FOR_MS = 120_000;

/// An error of the library: `errcode` is one of ErrorCode, `status` the device's answer where there was one.
export class ViewerError extends Error {
    constructor(errcode, message, status) {
        super(message);
        this.name = "ViewerError";
        this.errcode = errcode;
        if (status !== undefined) this.status = status;
    }
}

/// One request on a link of its own channel.
class ChannelRequest {
    /// onRefused(status, reason) is called with what the device says to a refusal, where it is given.
    constructor(connection, label, { onHead, onBody, onRefused, onEnd }) {
        Object.assign(this, { onHead, onBody, onRefused, onEnd });
        this.head = null;
        this.ended = false;
        this.refusal = null;
        const channel = connection.createDataChannel(label);
        channel.binaryType = "arraybuffer";
        channel.onmessage = ({ data }) => this.take(data);
        channel.onclose = () => this.finish("end");
        channel.onerror = () => this.finish(this.head ? "end" : "error", "the link was lost");
        this.channel = channel;
    }

    take(data) {
        if (this.ended) return;
        if (this.head) {
            if (this.refusal) this.refusal.push(data);
            else this.onBody?.(data);
            return;
        }
        try {
            this.head = JSON.parse(data);
        } catch {
            this.finish("error", "the device's answer cannot be read");
            return;
        }
        if (this.onRefused && this.head.status >= 400) this.refusal = [];
        this.onHead?.(this.head);
    }

    /// Ends the request from this side.
    cancel() {
        this.finish("cancelled");
    }

    finish(how, message = "") {
        if (this.ended) return;
        this.ended = true;
        this.channel.close();
        if (this.refusal) this.onRefused(this.head.status, refusalText(this.head.status, this.refusal));
        this.onEnd?.(how, message);
    }
}

/// A link to one device, and what runs over it.
class Service {
    constructor(id, info, callbacks, settings) {
        this.id = id;
        this.info = info;
        this.callbacks = callbacks;
        this.settings = settings;
        this.state = ServiceState.preparing;
        this.requests = new Set();
        this.streams = new Map();
        this.download = null;
        this.voice = null;
        this.missed = 0;
        // Live streams that go on when the link comes back: how each was asked for.
        this.lasting = new Map();
        this.online = () => { if (this.state === ServiceState.connected) this.beat(); };
        globalThis.addEventListener?.("online", this.online);
    }

    notify(type, detail = {}) {
        this.callbacks.msgCallback?.("onServiceNotify", type, { id: this.id, ...detail });
    }

    become(state) {
        if (this.state === state) return;
        this.state = state;
        this.callbacks.onStateChange?.(state, this.id);
        this.notify(state);
    }

    // MARK: The link

    async connect() {
        const connection = new RTCPeerConnection({
            iceServers: this.info.iceServers ?? this.settings.iceServers ?? [],
            iceTransportPolicy: this.info.relayOnly ? "relay" : "all",
        });
        this.connection = connection;
        // Without a channel there would be nothing to offer; this one also brings the device's own messages.
        this.feedback = this.open("GET feedback", {
            onBody: (message) => this.tell(message),
        });
        const opened = new Promise((resolve, reject) => {
            connection.addEventListener("connectionstatechange", () => {
                if (connection.connectionState === "connected") resolve();
                if (connection.connectionState === "failed") reject(new Error("no way to the device was found"));
                if (connection.connectionState === "closed") reject(new Error("the link was closed"));
                if (this.connection === connection) this.watch(connection.connectionState);
            });
        });
        // Whoever waits no more does not want to hear of it.
        opened.catch(() => {});
        await connection.setLocalDescription(await connection.createOffer());
        await this.gathered(connection);
        const answer = await this.exchange(connection.localDescription.sdp);
        await connection.setRemoteDescription({ type: "answer", sdp: answer });
        await Promise.race([opened, delay(CONNECT_MS).then(() => { throw new Error("connecting took too long"); })]);
        this.missed = 0;
        this.become(ServiceState.connected);
        clearInterval(this.heartbeat);
        this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    }

    /// Host candidates are there at once; who waits for servers waits no longer than this.
    gathered(connection) {
        if (connection.iceGatheringState === "complete") return Promise.resolve();
        const complete = new Promise((resolve) => {
            connection.addEventListener("icegatheringstatechange", () => {
                if (connection.iceGatheringState === "complete") resolve();
            });
        });
        return Promise.race([complete, delay(GATHER_MS)]);
    }

    /// `info.exchange(offer)` may take another way to the device than its own web server.
    async exchange(offer) {
        if (this.info.exchange) return this.info.exchange(offer);
        const address = new URL("p2p", this.info.url ?? document.baseURI);
        const response = await fetch(address, {
            method: "POST", body: offer,
            headers: { "Content-Type": "application/sdp", ...await this.credentials(), ...this.info.headers },
        });
        if (response.status !== 201) {
            const said = await response.json().catch(() => null);
            throw new ViewerError(
                ErrorCode.noPeerToPeer, said?.error?.message ?? `the device answered ${response.status}`,
                response.status);
        }
        const location = response.headers.get("Location");
        if (location) this.resource = new URL(location, address);
        return response.text();
    }

    /// `info.ticket` is one, or a function that gets one; the plugin's name for it is known, too.
    async credentials() {
        const given = this.info.ticket ?? this.info.xp2pInfo;
        const ticket = typeof given === "function" ? await given() : given;
        if (ticket === undefined || ticket === null) return {};
        if (!/^(XP2P)?[\w-]+\.[\w-]+\.[\w-]+(%.*)?$/.test(ticket)) {
            throw new ViewerError(ErrorCode.badInfo, "the ticket cannot be read");
        }
        return { Authorization: `Bearer ${ticket}` };
    }

    watch(state) {
        clearTimeout(this.patience);
        if (state === "failed" || state === "closed") this.lose("the link was lost");
        if (state === "disconnected") this.patience = setTimeout(() => this.lose("the link was lost"), DISCONNECTED_MS);
    }

    /// A channel of a dead peer stays "open" for ever, so the device is asked.
    async beat() {
        this.missed += 1;
        if (this.missed > MISSED_HEARTBEATS) {
            this.lose("the device does not answer");
            return;
        }
        const reply = await this.command("action=inner_define&channel=0&cmd=get_device_st&type=live", {
            timeout: HEARTBEAT_MS * MISSED_HEARTBEATS,
        });
        // A refusal is an answer, too.
        if (reply.status !== undefined) this.missed = 0;
    }

    tell(message) {
        let content = message;
        try {
            content = JSON.parse(message);
        } catch {
            // Text is as good.
        }
        const isPrivate = content !== null && typeof content === "object" && "iv_private_cmd" in content;
        this.callbacks.msgCallback?.(
            "onServiceNotify", isPrivate ? "serviceReceivePrivateCommand" : "feedbackFromDevice",
            { id: this.id, message: content });
    }

    lose(reason) {
        // While it is being made or made again, who makes it hears.
        if (this.state !== ServiceState.connected) return;
        const lasting = new Map(this.lasting);
        this.close("disconnect", reason);
        this.notify("disconnect", { reason });
        if (this.info.reconnect === false) this.become(ServiceState.error);
        else this.reconnect(lasting);
    }

    /// A new link, which takes less time than mending the old one: networks change, devices start again.
    async reconnect(lasting) {
        const end = performance.now() + RECONNECT_FOR_MS;
        this.become(ServiceState.preparing);
        for (let attempt = 0; performance.now() < end; attempt += 1) {
            await delay(RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)]);
            if (this.state !== ServiceState.preparing) return;
            try {
                await this.connect();
            } catch {
                if (this.state !== ServiceState.preparing) return;
                this.close("disconnect");
                continue;
            }
            for (const [key, { label, callbacks }] of lasting) this.startStream(key, label, callbacks).catch(() => {});
            return;
        }
        this.become(ServiceState.error);
    }

    /// For good.
    end(state = ServiceState.idle) {
        globalThis.removeEventListener?.("online", this.online);
        this.become(state);
        this.close();
    }

    close(how = "cancelled", reason = "") {
        clearInterval(this.heartbeat);
        clearTimeout(this.patience);
        for (const stream of [...this.streams.values()]) if (stream.abort) stream.cancel();
        for (const request of [...this.requests]) request.finish(how, reason);
        this.connection?.close();
        if (this.resource) {
            fetch(this.resource, { method: "DELETE", keepalive: true }).catch(() => {});
            this.resource = null;
        }
    }

    // MARK: Requests

    open(label, handlers) {
        const request = new ChannelRequest(this.connection, label, {
            ...handlers,
            onEnd: (how, message) => {
                this.requests.delete(request);
                handlers.onEnd?.(how, message);
            },
        });
        this.requests.add(request);
        return request;
    }

    startStream(key, label, callbacks) {
        this.stopStream(key);
        const notify = (type, detail) => callbacks.msgCallback?.("onPlayerNotify", type, detail);
        return new Promise((resolve, reject) => {
            let accepted = false;
            let refusal = null;
            const request = this.open(label, {
                onHead: (head) => {
                    notify("parsed", head);
                    if (head.status >= 200 && head.status < 300) {
                        accepted = true;
                        if (/[?&]action=live/.test(label)) this.lasting.set(key, { label, callbacks });
                        resolve(ErrorCode.ok);
                    } else if (head.status === 302) {
                        this.streams.delete(key);
                        this.follow(key, label, head.headers.Location, callbacks, notify).then(resolve, reject);
                    }
                },
                onRefused: (status, reason) => {
                    this.streams.delete(key);
                    const isHandOver = request.head.headers["X-Hand-Off"] === "failed";
                    refusal = { message: reason, status };
                    reject(new ViewerError(
                        isHandOver ? ErrorCode.handOverFailed : ErrorCode.streamFailed, reason, status));
                },
                onBody: (data) => { if (accepted) callbacks.dataCallback?.(data); },
                onEnd: (how, message) => {
                    if (this.streams.get(key) === request) this.streams.delete(key);
                    if (this.lasting.get(key)?.callbacks === callbacks) this.lasting.delete(key);
                    if (!accepted) reject(new ViewerError(ErrorCode.streamFailed, message || "the stream did not begin"));
                    if (how === "end") notify(accepted ? "eof" : "fail", refusal ?? { message });
                    else notify(how === "cancelled" ? "close" : how === "disconnect" ? "disconnect" : "fail", { message });
                },
            });
            this.streams.set(key, request);
            notify("request", { label });
        });
    }

    stopStream(key) {
        this.streams.get(key)?.cancel();
    }

    /// The device is full: the stream comes from a media service until there is a place again. FLV is fetched here; of
    /// other kinds the page is told the address ("handOver"), and to come back ("handBack").
    async follow(key, label, address, callbacks, notify) {
        const abort = new AbortController();
        const elsewhere = { cancel: () => this.comeBack(key, elsewhere, notify, "close"), abort };
        this.streams.get(key)?.cancel();
        this.streams.set(key, elsewhere);
        notify("handOver", { url: address });
        try {
            if (new URL(address).pathname.endsWith(".flv")) await this.fetchFLV(address, abort, callbacks, notify);
        } catch (error) {
            this.streams.delete(key);
            throw new ViewerError(ErrorCode.handOverFailed, `the media service does not answer: ${error.message}`);
        }
        const values = new URLSearchParams(label.slice(label.indexOf("?") + 1));
        const question = `action=inner_define&channel=${values.get("channel") || 0}&cmd=get_device_st&type=live`
            + `&quality=${values.get("quality") ?? ""}`;
        elsewhere.timer = setInterval(async () => {
            const reply = await this.command(question);
            if (this.streams.get(key) !== elsewhere || reply.type !== "success") return;
            if (JSON.parse(reply.data)[0]?.status !== "0") return;
            this.comeBack(key, elsewhere, notify, "handBack");
            await this.startStream(key, label, callbacks).catch((error) => notify("fail", { message: error.message }));
        }, RETURN_MS);
        return ErrorCode.ok;
    }

    async fetchFLV(address, abort, callbacks, notify) {
        const response = await fetch(address, { signal: abort.signal, cache: "no-store" });
        if (!response.ok) throw new Error(`it answered ${response.status}`);
        notify("parsed", { status: response.status, headers: Object.fromEntries(response.headers) });
        const reader = response.body.getReader();
        const pump = async () => {
            for (;;) {
                const { done, value } = await reader.read();
                if (done) break;
                callbacks.dataCallback?.(value.buffer.byteLength === value.byteLength ? value.buffer : value.slice().buffer);
            }
            notify("eof", {});
        };
        pump().catch((error) => { if (!abort.signal.aborted) notify("fail", { message: error.message }); });
    }

    comeBack(key, elsewhere, notify, notice) {
        clearInterval(elsewhere.timer);
        elsewhere.abort.abort();
        if (this.streams.get(key) === elsewhere) this.streams.delete(key);
        notify(notice, {});
    }

    command(text, { responseType = "text", timeout = COMMAND_MS } = {}) {
        return new Promise((resolve) => {
            const pieces = [];
            let status;
            let timer = null;
            const request = this.open(`COMMAND ${text}`, {
                onHead: (head) => { status = head.status; },
                onBody: (data) => pieces.push(data),
                onEnd: (how, message) => {
                    clearTimeout(timer);
                    if (how === "timeout") {
                        resolve({ type: "timeout", errcode: -1, errmsg: "the device did not answer in time" });
                    } else if (status === undefined) {
                        resolve({ type: "error", errcode: -1, errmsg: message || "the link was lost" });
                    } else {
                        const data = decode(pieces, responseType);
                        const good = status >= 200 && status < 300;
                        resolve({ type: good ? "success" : "failure", status, data, errcode: good ? 0 : status, errmsg: "" });
                    }
                },
            });
            timer = setTimeout(() => request.finish("timeout"), timeout);
        });
    }

    startDownload(parameters, callbacks) {
        // One at a time; the device would end the earlier one, too.
        this.download?.cancel();
        let status;
        let bytes = 0;
        const complete = (name, detail) => {
            callbacks[name]?.({ id: this.id, bytes, status, ...detail });
            callbacks.onComplete?.({ id: this.id, bytes, status });
        };
        const request = this.open(`GET ipc.flv?action=download&${query(parameters)}`, {
            onHead: (head) => {
                status = head.status;
                callbacks.onHeadersReceived?.(head);
            },
            onBody: (data) => {
                if (status !== 200) return;
                bytes += data.byteLength;
                callbacks.onChunkReceived?.(data);
            },
            onEnd: (how, message) => {
                if (this.download === request) this.download = null;
                if (status !== undefined && status !== 200) complete("onFailure", { errcode: ErrorCode.downloadFailed });
                else if (how === "end" && status === 200) complete("onSuccess", {});
                else if (how === "cancelled") complete("onStop", {});
                else complete("onError", { errcode: ErrorCode.downloadFailed, errmsg: message });
            },
        });
        this.download = request;
    }

    startVoice(parameters, callbacks) {
        return new Promise((resolve, reject) => {
            let accepted = false;
            const report = [];
            const request = this.open(`VOICE ${query(parameters)}`, {
                onHead: (head) => {
                    if (head.status >= 200 && head.status < 300) {
                        accepted = true;
                        callbacks.onStart?.({ id: this.id });
                        resolve({
                            addChunk: (chunk) => this.addVoice(request, chunk),
                            stop: () => request.cancel(),
                        });
                    }
                },
                onRefused: (status, reason) => {
                    callbacks.onFailure?.({ id: this.id, status, errcode: ErrorCode.voiceFailed });
                    reject(new ViewerError(ErrorCode.voiceFailed, reason, status));
                },
                onBody: (data) => report.push(data),
                onEnd: (how, message) => {
                    if (this.voice === request) this.voice = null;
                    if (!accepted) reject(new ViewerError(ErrorCode.voiceFailed, message || "talking did not begin"));
                    else callbacks.onStop?.({ id: this.id, reason: parsed(report)?.cause ?? message });
                    callbacks.onComplete?.({ id: this.id });
                },
            });
            this.voice?.cancel();
            this.voice = request;
        });
    }

    /// False where the path is too slow and the piece was dropped: late sound is worth less than none.
    addVoice(request, chunk) {
        const channel = request.channel;
        if (request.ended || channel.readyState !== "open" || channel.bufferedAmount > VOICE_BUFFER_BYTES) return false;
        const bytes = ArrayBuffer.isView(chunk) ? chunk : new Uint8Array(chunk);
        for (let start = 0; start < bytes.byteLength; start += 16384) {
            channel.send(bytes.subarray(start, Math.min(start + 16384, bytes.byteLength)));
        }
        return true;
    }
}

/// The library. One object for a page; several devices at once, each under an id of the page's choice.
export class EdgeAgentViewer {
    constructor() {
        this.settings = null;
        this.services = new Map();
        /// Services that are being started for whoever needs them.
        this.starting = new Map();
    }

    /// settings: { iceServers } for devices that name none of their own.
    async init(settings = {}) {
        if (typeof RTCPeerConnection !== "function") {
            throw new ViewerError(ErrorCode.noPeerToPeer, "this browser has no peer-to-peer connections");
        }
        this.settings = settings;
        return ErrorCode.ok;
    }

    /// A link that is lost is made again for two minutes, and live streams go on, unless `info.reconnect` is false.
    ///
    /// info: { url, ticket, iceServers, headers, relayOnly, exchange, reconnect }, all of which may be left out for the device that the
    /// page came from. callbacks: { msgCallback(event, subtype, detail), onStateChange(state, id) }.
    async startP2PService(id, info = {}, callbacks = {}) {
        if (!this.settings) throw new ViewerError(ErrorCode.notInitialised, "call init() first");
        if (id === undefined || id === "") throw new ViewerError(ErrorCode.badParameter, "a service needs an id");
        if (this.services.has(id)) {
            throw new ViewerError(ErrorCode.serviceStartedTwice, `the service of ${id} has been started already`);
        }
        const service = new Service(id, info, callbacks, this.settings);
        this.services.set(id, service);
        service.notify(ServiceState.preparing);
        try {
            await service.connect();
        } catch (error) {
            if (this.services.get(id) === service) this.services.delete(id);
            service.end(ServiceState.startError);
            throw error instanceof ViewerError ? error : new ViewerError(ErrorCode.noPeerToPeer, error.message);
        }
        return ErrorCode.ok;
    }

    /// The same for whoever needs the service: resolves at once where it is connected, and those who ask meanwhile share
    /// the attempt. A service that was lost is started anew.
    ensureP2PService(id, info = {}, callbacks = {}) {
        if (this.getServiceState(id) === ServiceState.connected) return Promise.resolve(ErrorCode.ok);
        if (!this.starting.has(id)) {
            const start = async () => {
                if (!this.settings) await this.init();
                this.stopP2PService(id);
                return this.startP2PService(id, info, callbacks);
            };
            this.starting.set(id, start().finally(() => this.starting.delete(id)));
        }
        return this.starting.get(id);
    }

    /// How the link was found: { isRelayed, localKind, remoteKind, roundTripSeconds }; null where there is none.
    async getRoute(id) {
        const reports = await this.services.get(id)?.connection?.getStats();
        const all = [...reports?.values() ?? []];
        const known = new Map(all.map((report) => [report.id, report]));
        const chosen = all.find((report) => report.type === "transport")?.selectedCandidatePairId;
        // Not every browser names it.
        const pair = known.get(chosen) ?? all.find((report) => report.type === "candidate-pair" && report.nominated
            && report.state === "succeeded");
        if (!pair) return null;
        const [localKind, remoteKind] = [pair.localCandidateId, pair.remoteCandidateId].map((one) => known.get(one)?.candidateType);
        return {
            isRelayed: localKind === "relay" || remoteKind === "relay", localKind, remoteKind,
            roundTripSeconds: pair.currentRoundTripTime,
        };
    }

    stopP2PService(id) {
        const service = this.services.get(id);
        if (!service) return ErrorCode.serviceNotStarted;
        this.services.delete(id);
        service.end();
        return ErrorCode.ok;
    }

    getServiceState(id) {
        return this.services.get(id)?.state ?? (this.settings ? ServiceState.idle : ServiceState.waitInit);
    }

    /// options: { flv: { filename, params }, msgCallback(event, subtype, detail), dataCallback(ArrayBuffer) }. A second
    /// stream of the same channel and kind takes the first one's place. Resolves when the device agrees.
    async startStream(id, options = {}) {
        const service = this.service(id);
        const parameters = options.flv?.params ?? "action=live&channel=0&quality=high";
        const file = options.flv?.filename ?? "ipc.flv";
        return service.startStream(streamKey(parameters), `GET ${file}?${query(parameters)}`, options);
    }

    /// Without params all streams of the service end.
    stopStream(id, { params } = {}) {
        const service = this.services.get(id);
        if (!service) return ErrorCode.serviceNotStarted;
        for (const key of params === undefined ? [...service.streams.keys()] : [streamKey(params)]) service.stopStream(key);
        return ErrorCode.ok;
    }

    /// Resolves with { type: "success" | "failure" | "error" | "timeout", status, data, errcode, errmsg }; never throws
    /// for what the device says.
    async sendCommand(id, command, options = {}) {
        return this.service(id).command(typeof command === "string" ? command : query(command), options);
    }

    /// Resolves with { addChunk(bytes), stop() } once the device listens. What is added is PCM (8 kHz, one channel, 16
    /// bits, little-endian) or FLV with AAC, from its first byte on.
    async startVoice(id, parameters = { channel: 0 }, callbacks = {}) {
        return this.service(id).startVoice(parameters, callbacks);
    }

    stopVoice(id) {
        const service = this.services.get(id);
        if (!service) return ErrorCode.serviceNotStarted;
        service.voice?.cancel();
        return ErrorCode.ok;
    }

    /// parameters: { channel, file_name, offset }. callbacks: onHeadersReceived, onChunkReceived, onSuccess, onFailure,
    /// onError, onStop, and onComplete after each of these.
    startLocalDownload(id, parameters, callbacks = {}) {
        this.service(id).startDownload(parameters, callbacks);
        return ErrorCode.ok;
    }

    stopLocalDownload(id) {
        const service = this.services.get(id);
        if (!service) return ErrorCode.serviceNotStarted;
        service.download?.cancel();
        return ErrorCode.ok;
    }

    /// After a change of network: every service ends, and is to be started anew.
    resetP2P() {
        for (const id of [...this.services.keys()]) this.stopP2PService(id);
        return ErrorCode.ok;
    }

    destroy() {
        this.resetP2P();
        this.settings = null;
        return ErrorCode.ok;
    }

    service(id) {
        if (!this.settings) throw new ViewerError(ErrorCode.notInitialised, "call init() first");
        const service = this.services.get(id);
        if (!service || service.state !== ServiceState.connected) {
            throw new ViewerError(ErrorCode.serviceNotStarted, `the service of ${id} is not started`);
        }
        return service;
    }
}

/// A stream in the shape of a WebSocket, for players that know those. The link to the device is made where there is none,
/// and shared by all streams of the same id.
export class StreamSocket {
    constructor(viewer, id, parameters, info = {}) {
        this.viewer = viewer;
        this.id = id;
        this.parameters = parameters;
        this.closed = false;
        this.run(info);
    }

    async run(info) {
        try {
            // Who takes it for a WebSocket tries again by itself.
            await this.viewer.ensureP2PService(this.id, { ...info, reconnect: false }, info.callbacks);
            if (this.closed) return;
            await this.viewer.startStream(this.id, {
                flv: { params: this.parameters },
                dataCallback: (data) => { if (!this.closed) this.onmessage?.({ data }); },
                msgCallback: (event, notice, detail) => this.notice(notice, detail),
            });
            if (!this.closed) this.onopen?.();
        } catch (error) {
            this.end(error.status === 503 ? 1013 : 1006, error.message);
        }
    }

    notice(notice, detail) {
        if (notice === "eof") this.end(1000, "");
        if (notice === "fail" || notice === "disconnect") this.end(detail?.status === 503 ? 1013 : 1006, detail?.message ?? "");
    }

    end(code, reason) {
        if (this.closed) return;
        this.closed = true;
        this.onclose?.({ code, reason });
    }

    close() {
        if (this.closed) return;
        this.closed = true;
        this.viewer.stopStream(this.id, { params: this.parameters });
    }
}

/// What the device says to a refusal, `{"error":{"message":…}}`.
function refusalText(status, pieces) {
    return parsed(pieces)?.error?.message ?? `the device answered ${status}`;
}

/// JSON that came in pieces; null where it is none.
function parsed(pieces) {
    try {
        return JSON.parse(decode(pieces, "text"));
    } catch {
        return null;
    }
}

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/// Parameters as text, encoded where they came apart.
function query(parameters) {
    if (typeof parameters === "string") return parameters;
    return Object.entries(parameters ?? {})
        .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join("&");
}

/// A link carries one stream of each kind and channel.
function streamKey(parameters) {
    const values = new URLSearchParams(query(parameters));
    return `${values.get("channel") || 0}/${values.get("action") || "live"}`;
}

function decode(pieces, responseType) {
    const bytes = pieces.map((piece) => typeof piece === "string" ? new TextEncoder().encode(piece) : new Uint8Array(piece));
    const all = new Uint8Array(bytes.reduce((sum, piece) => sum + piece.byteLength, 0));
    let position = 0;
    for (const piece of bytes) {
        all.set(piece, position);
        position += piece.byteLength;
    }
    return responseType === "arraybuffer" ? all.buffer : new TextDecoder().decode(all);
}

/// The one object that most pages need.
export const viewer = new EdgeAgentViewer();
