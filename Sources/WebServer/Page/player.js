// A player for live and recorded FLV (H.264 and AAC) over a WebSocket, on Media Source Extensions.
//
// The bytes pass three stages, each of which can be used and tested alone: FLVDemuxer (bytes to samples),
// initSegment and mediaSegment (samples to fragmented MP4), and TrackBuffer (fragments to a SourceBuffer).
// FLVPlayer owns the connection, the clock and the live edge. Nothing here touches the page around the video.

// Limits. Bytes, seconds and milliseconds as named.
const MAX_TAG_BYTES = 8 << 20;
const MAX_PENDING_BYTES = 4 << 20;
const MAX_PENDING_SAMPLES = 400;
const KEEP_BEHIND_SECONDS = 10;
const TRIM_ABOVE_SECONDS = 15;
const AUDIO_BATCH_SAMPLES = 3;
const TRACK_WAIT_MS = 2000;
const TIMELINE_JUMP_MS = 10_000;
const SILENCE_TIMEOUT_MS = 5000;
const NO_SIGNAL_AFTER_MS = 2000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
const GOOD_CONNECTION_MS = 10_000;
const TICK_MS = 250;

// The live edge. The target grows a little after each stall, and shrinks again while there are none.
const TARGET_SECONDS = 0.3;
const MAX_TARGET_SECONDS = 0.6;
const CATCH_UP_ABOVE_TARGET = 0.2;
const CATCH_UP_RATE = 1.1;
const JUMP_ABOVE_SECONDS = 1;
const SETTLE_MS = 1500;

// MARK: FLV

/// Reads FLV (Adobe Flash Video File Format 10.1, annex E) from pieces of any size.
/// Time stamps are given in milliseconds, unwrapped past 32 bits.
export class FLVDemuxer {
    /// handler: { onTracks({hasVideo, hasAudio}), onVideoConfig(bytes), onAudioConfig(bytes),
    ///            onVideo({dts, cts, key, data}), onAudio({dts, data}) }
    constructor(handler) {
        this.handler = handler;
        this.pieces = [];
        this.available = 0;
        this.needed = 9;
        this.inHeader = true;
        this.lastStamp = null;
        this.time = 0;
    }

    /// Throws where the bytes are not FLV; nothing can be read after that.
    push(bytes) {
        this.pieces.push(bytes);
        this.available += bytes.length;
        if (this.available < this.needed) return;
        let buffer = this.pieces.length === 1 ? this.pieces[0] : join(this.pieces, this.available);
        let position = 0;
        for (;;) {
            const rest = buffer.length - position;
            if (this.inHeader) {
                if (rest < 9) { this.needed = 9; break; }
                if (buffer[position] !== 0x46 || buffer[position + 1] !== 0x4c || buffer[position + 2] !== 0x56) {
                    throw new Error("what the device sent is not FLV");
                }
                const length = readUint32(buffer, position + 5);
                if (length < 9 || length > 1024) throw new Error("the FLV header has an impossible length");
                if (rest < length + 4) { this.needed = length + 4; break; }
                const flags = buffer[position + 4];
                this.handler.onTracks({ hasVideo: (flags & 1) !== 0, hasAudio: (flags & 4) !== 0 });
                this.inHeader = false;
                position += length + 4;
                continue;
            }
            if (rest < 11) { this.needed = 11; break; }
            const length = readUint24(buffer, position + 1);
            if (length > MAX_TAG_BYTES) throw new Error(`an FLV tag of ${length} bytes is more than can be right`);
            if (rest < 15 + length) { this.needed = 15 + length; break; }
            const stamp = (readUint24(buffer, position + 4) | (buffer[position + 7] << 24)) >>> 0;
            this.readTag(buffer[position], this.unwrap(stamp), buffer.subarray(position + 11, position + 11 + length));
            position += 15 + length;
        }
        // A copy lets go of the message that the rest is a small part of.
        this.pieces = position < buffer.length ? [position ? buffer.slice(position) : buffer] : [];
        this.available = buffer.length - position;
    }

    unwrap(stamp) {
        // The signed 32-bit difference is right on both sides of the wrap.
        this.time = this.lastStamp === null ? stamp : this.time + ((stamp - this.lastStamp) | 0);
        this.lastStamp = stamp;
        return this.time;
    }

    readTag(kind, dts, body) {
        if (kind === 9 && body.length >= 5 && (body[0] & 0x8f) === 7) {
            if (body[1] === 0) {
                this.handler.onVideoConfig(body.slice(5));
            } else if (body[1] === 1 && body.length > 5) {
                const cts = (readUint24(body, 2) << 8) >> 8;
                this.handler.onVideo({ dts, cts, key: body[0] >> 4 === 1, data: body.subarray(5) });
            }
        } else if (kind === 8 && body.length >= 2 && body[0] >> 4 === 10) {
            if (body[1] === 0) this.handler.onAudioConfig(body.slice(2));
            else if (body[1] === 1 && body.length > 2) this.handler.onAudio({ dts, data: body.subarray(2) });
        } else if (kind === 18) {
            const tracks = readTracks(body);
            if (tracks) this.handler.onTracks(tracks);
        }
    }
}

/// hasVideo and hasAudio out of an onMetaData tag. Only these two are wanted, so the AMF0 around them is searched
/// for their names with a boolean behind, instead of being parsed.
function readTracks(body) {
    const result = {};
    for (const name of ["hasVideo", "hasAudio"]) {
        const at = find(body, [0, name.length, ...Array.from(name, (letter) => letter.charCodeAt(0)), 1]);
        if (at >= 0 && at + 3 + name.length < body.length) result[name] = body[at + 3 + name.length] !== 0;
    }
    return "hasVideo" in result || "hasAudio" in result ? result : null;
}

function find(bytes, pattern) {
    outer: for (let i = 0; i + pattern.length <= bytes.length; i++) {
        for (let j = 0; j < pattern.length; j++) if (bytes[i + j] !== pattern[j]) continue outer;
        return i;
    }
    return -1;
}

function join(pieces, length) {
    const result = new Uint8Array(length);
    let position = 0;
    for (const piece of pieces) {
        result.set(piece, position);
        position += piece.length;
    }
    return result;
}

const readUint24 = (bytes, at) => (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
const readUint32 = (bytes, at) => readUint24(bytes, at) * 256 + bytes[at + 3];
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const hex = (byte) => byte.toString(16).padStart(2, "0");

// MARK: Track formats

/// What a track needs to be known by, from an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
export function videoTrack(config) {
    if (config.length < 8 || config[0] !== 1 || (config[5] & 31) === 0) throw new Error("the H.264 set-up is damaged");
    const length = (config[6] << 8) | config[7];
    if (config.length < 8 + length) throw new Error("the H.264 set-up is damaged");
    const size = pictureSize(config.subarray(8, 8 + length));
    const mime = `video/mp4; codecs="avc1.${hex(config[1])}${hex(config[2])}${hex(config[3])}"`;
    return { id: 1, kind: "video", config, mime, timescale: 1000, ...size };
}

/// The same from an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
export function audioTrack(config) {
    const bits = new BitReader(config);
    let type = bits.read(5);
    if (type === 31) type = 32 + bits.read(6);
    const rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
    const index = bits.read(4);
    const timescale = index === 15 ? bits.read(24) : rates[index];
    const channels = bits.read(4);
    if (!timescale) throw new Error("the AAC set-up is damaged");
    return { id: 2, kind: "audio", config, mime: `audio/mp4; codecs="mp4a.40.${type}"`, timescale, channels };
}

class BitReader {
    constructor(bytes) {
        this.bytes = bytes;
        this.position = 0;
    }
    bit() {
        if (this.position >= this.bytes.length * 8) throw new Error("a set-up breaks off");
        const bit = (this.bytes[this.position >> 3] >> (7 - (this.position & 7))) & 1;
        this.position += 1;
        return bit;
    }
    read(count) {
        let value = 0;
        for (let i = 0; i < count; i++) value = value * 2 + this.bit();
        return value;
    }
    unsigned() {
        let zeros = 0;
        while (this.bit() === 0) if (++zeros > 32) throw new Error("a set-up is damaged");
        return 2 ** zeros - 1 + this.read(zeros);
    }
    signed() {
        const value = this.unsigned();
        return value & 1 ? (value + 1) / 2 : -value / 2;
    }
}

/// Width and height out of a sequence parameter set (ITU-T H.264, 7.3.2.1.1).
function pictureSize(nal) {
    const rbsp = [];
    for (let i = 1; i < nal.length; i++) {
        if (i > 2 && nal[i] === 3 && nal[i - 1] === 0 && nal[i - 2] === 0) continue;
        rbsp.push(nal[i]);
    }
    const bits = new BitReader(rbsp);
    const profile = bits.read(8);
    bits.read(16);
    bits.unsigned();
    let chroma = 1;
    let planes = 0;
    if ([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].includes(profile)) {
        chroma = bits.unsigned();
        if (chroma === 3) planes = bits.bit();
        bits.unsigned();
        bits.unsigned();
        bits.bit();
        if (bits.bit()) {
            for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) {
                if (!bits.bit()) continue;
                let last = 8;
                let next = 8;
                for (let i = 0; i < (list < 6 ? 16 : 64); i++) {
                    if (next !== 0) next = (last + bits.signed() + 256) % 256;
                    if (next !== 0) last = next;
                }
            }
        }
    }
    bits.unsigned();
    const order = bits.unsigned();
    if (order === 0) {
        bits.unsigned();
    } else if (order === 1) {
        bits.bit();
        bits.signed();
        bits.signed();
        const count = bits.unsigned();
        for (let i = 0; i < count; i++) bits.signed();
    }
    bits.unsigned();
    bits.bit();
    const columns = bits.unsigned() + 1;
    const rows = bits.unsigned() + 1;
    const frames = bits.bit();
    if (!frames) bits.bit();
    bits.bit();
    let left = 0, right = 0, top = 0, bottom = 0;
    if (bits.bit()) {
        [left, right, top, bottom] = [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()];
    }
    const unitX = chroma === 0 || planes || chroma === 3 ? 1 : 2;
    const unitY = (chroma === 1 && !planes ? 2 : 1) * (2 - frames);
    const width = columns * 16 - unitX * (left + right);
    const height = rows * 16 * (2 - frames) - unitY * (top + bottom);
    if (!(width > 0 && width <= 16384 && height > 0 && height <= 16384)) throw new Error("the picture size is impossible");
    return { width, height };
}

// MARK: Fragmented MP4 (ISO/IEC 14496-12)

const u16 = (value) => [(value >>> 8) & 255, value & 255];
const u32 = (value) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const zeros = (count) => new Array(count).fill(0);
const MATRIX = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30].flatMap(u32);

function box(type, ...parts) {
    const content = parts.flatMap((part) => Array.from(part));
    return [...u32(content.length + 8), ...Array.from(type, (letter) => letter.charCodeAt(0)), ...content];
}

const descriptor = (tag, ...parts) => {
    const content = parts.flatMap((part) => Array.from(part));
    return [tag, 0x80, 0x80, 0x80, content.length, ...content];
};

function sampleEntry(track) {
    if (track.kind === "video") {
        return box("avc1", zeros(6), u16(1), zeros(16), u16(track.width), u16(track.height), u32(72 << 16), u32(72 << 16),
            zeros(4), u16(1), zeros(32), u16(24), u16(0xffff), box("avcC", track.config));
    }
    const decoder = descriptor(4, [0x40, 0x15], zeros(3), zeros(8), descriptor(5, track.config));
    return box("mp4a", zeros(6), u16(1), zeros(8), u16(track.channels || 2), u16(16), zeros(4),
        u16(Math.min(track.timescale, 0xffff)), u16(0), box("esds", zeros(4), descriptor(3, u16(track.id), [0], decoder,
            descriptor(6, [2]))));
}

/// ftyp and moov for one track.
export function initSegment(track) {
    const isVideo = track.kind === "video";
    const header = isVideo ? box("vmhd", [0, 0, 0, 1], zeros(8)) : box("smhd", zeros(8));
    const handler = box("hdlr", zeros(8), Array.from(isVideo ? "vide" : "soun", (c) => c.charCodeAt(0)), zeros(13));
    const table = box("stbl", box("stsd", zeros(4), u32(1), sampleEntry(track)), box("stts", zeros(8)),
        box("stsc", zeros(8)), box("stsz", zeros(12)), box("stco", zeros(8)));
    const references = box("dinf", box("dref", zeros(4), u32(1), box("url ", [0, 0, 0, 1])));
    const media = box("mdia", box("mdhd", zeros(12), u32(track.timescale), zeros(4), u16(0x55c4), zeros(2)), handler,
        box("minf", header, references, table));
    const trackHeader = box("tkhd", [0, 0, 0, 7], zeros(8), u32(track.id), zeros(20), u16(isVideo ? 0 : 0x100), zeros(2),
        MATRIX, u16(track.width ?? 0), zeros(2), u16(track.height ?? 0), zeros(2));
    const movie = box("moov",
        box("mvhd", zeros(12), u32(1000), zeros(4), u32(1 << 16), u16(0x100), zeros(10), MATRIX, zeros(24), u32(track.id + 1)),
        box("trak", trackHeader, media),
        box("mvex", box("trex", zeros(4), u32(track.id), u32(1), zeros(12))));
    const brands = (names) => Array.from(names, (letter) => letter.charCodeAt(0));
    return Uint8Array.from([...box("ftyp", brands("iso5"), u32(1), brands("iso5iso6mp41")), ...movie]);
}

/// moof and mdat. samples: [{duration, cts, key, data}] in the track's timescale; `start` is the first one's dts.
export function mediaSegment(track, sequence, start, samples) {
    const moofLength = 88 + 16 * samples.length;
    const dataLength = samples.reduce((sum, sample) => sum + sample.data.length, 0);
    const bytes = new Uint8Array(moofLength + 8 + dataLength);
    const view = new DataView(bytes.buffer);
    let at = 0;
    const u32 = (value) => { view.setUint32(at, value); at += 4; };
    const head = (type, length) => {
        u32(length);
        for (let i = 0; i < 4; i++) bytes[at++] = type.charCodeAt(i);
    };
    head("moof", moofLength);
    head("mfhd", 16); u32(0); u32(sequence);
    head("traf", moofLength - 24);
    head("tfhd", 16); u32(0x020000); u32(track.id);
    head("tfdt", 20); u32(0x01000000); u32(Math.floor(start / 2 ** 32)); u32(start % 2 ** 32);
    head("trun", 20 + 16 * samples.length); u32(0x01000f01); u32(samples.length); u32(moofLength + 8);
    for (const sample of samples) {
        u32(sample.duration);
        u32(sample.data.length);
        u32(sample.key ? 0x02000000 : 0x01010000);
        view.setInt32(at, sample.cts);
        at += 4;
    }
    head("mdat", 8 + dataLength);
    for (const sample of samples) {
        bytes.set(sample.data, at);
        at += sample.data.length;
    }
    return bytes;
}

// MARK: SourceBuffer

/// One track's way into its SourceBuffer: what waits while the buffer is busy goes as one fragment afterwards.
class TrackBuffer {
    constructor(track, onFailure) {
        this.track = track;
        this.onFailure = onFailure;
        this.waiting = [{ track }];
        this.waitingBytes = 0;
        this.waitingSamples = 0;
        this.sequence = 1;
        this.retry = null;
        this.removals = [];
        this.source = null;
        this.mime = track.mime;
        this.onUpdateEnd = () => this.pump();
    }

    attach(source) {
        this.source = source;
        source.addEventListener("updateend", this.onUpdateEnd);
        this.pump();
    }

    detach() {
        this.source?.removeEventListener("updateend", this.onUpdateEnd);
        this.source = null;
        this.waiting = [];
        this.retry = null;
    }

    get isFull() {
        return this.waitingBytes > MAX_PENDING_BYTES || this.waitingSamples > MAX_PENDING_SAMPLES;
    }

    /// A new set-up, for all samples after it.
    change(track) {
        this.track = track;
        this.waiting.push({ track });
        this.pump();
    }

    add(sample) {
        this.waiting.push(sample);
        this.waitingBytes += sample.data.length;
        this.waitingSamples += 1;
        // A fragment for each frame of sound would be 47 of them a second.
        if (this.track.kind === "video" || this.waitingSamples >= AUDIO_BATCH_SAMPLES) this.pump();
    }

    /// Gives up the samples that wait, and returns how many they were.
    drop() {
        const count = this.waitingSamples;
        this.waiting = this.waiting.filter((entry) => entry.track);
        this.waitingBytes = 0;
        this.waitingSamples = 0;
        return count;
    }

    remove(start, end) {
        if (end > start && this.removals.length < 4) this.removals.push([start, end]);
        this.pump();
    }

    pump() {
        if (!this.source || this.source.updating) return;
        try {
            if (this.removals.length) {
                const [start, end] = this.removals.shift();
                this.source.remove(start, end);
                return;
            }
            let bytes = this.retry;
            if (!bytes) {
                if (!this.waiting.length) return;
                bytes = this.waiting[0].track ? this.nextInit() : this.nextFragment();
            }
            this.append(bytes);
        } catch (error) {
            this.onFailure(error);
        }
    }

    append(bytes) {
        try {
            this.source.appendBuffer(bytes);
            this.retry = null;
        } catch (error) {
            const isFirst = error.name === "QuotaExceededError" && !this.retry;
            // Once more after all but the last second behind the playhead is gone.
            this.retry = isFirst ? bytes : null;
            throw error;
        }
    }

    nextInit() {
        const { track } = this.waiting.shift();
        if (track.mime !== this.mime) {
            this.source.changeType?.(track.mime);
            this.mime = track.mime;
        }
        this.written = track;
        return initSegment(track);
    }

    nextFragment() {
        // A fragment ends before a set-up and before a hole, since only its first sample has a time of its own.
        const first = this.waiting[0];
        let count = 1;
        let end = first.dts + first.duration;
        let bytes = first.data.length;
        while (count < this.waiting.length && !this.waiting[count].track && this.waiting[count].dts === end) {
            end += this.waiting[count].duration;
            bytes += this.waiting[count].data.length;
            count += 1;
        }
        const samples = this.waiting.splice(0, count);
        this.waitingBytes -= bytes;
        this.waitingSamples -= count;
        return mediaSegment(this.written, this.sequence++, first.dts, samples);
    }
}

// MARK: Player

const MediaSourceType = globalThis.MediaSource ?? globalThis.ManagedMediaSource;

const CLOSE_REASONS = {
    1000: "The device ended the stream",
    1001: "The device is shutting down",
    1011: "The device cannot read this recording",
    1008: "The device does not allow this stream",
    1013: "The device has as many viewers as it takes",
};

/// Plays one stream in one video element.
///
/// States: "idle", "connecting", "buffering", "playing", "blocked" (the browser wants a gesture first),
/// "noSignal" (connected, but nothing comes), "waiting" (for the next attempt), "failed" (this browser cannot play it).
/// Events: "state" (detail: {state, reason}) and "stats", once a second (detail: the same as `stats`).
export class FLVPlayer extends EventTarget {
    /// Recorded footage ends, and can be paused; a lost connection is left to whoever made the player. `open` gives
    /// what behaves as a WebSocket to the address; `ask` fetches over HTTP why it does not open, null where that says so
    /// by itself.
    constructor(video, address, { recorded = false, open = (url) => new WebSocket(url), ask = fetch.bind(globalThis) } = {}) {
        super();
        this.recorded = recorded;
        this.open = open;
        this.ask = ask;
        this.paused = false;
        this.video = video;
        this.address = new URL(address, location.href);
        this.address.protocol = this.address.protocol.replace(/^http/, "ws");
        this.state = "idle";
        /// Why the player is not playing, for people; empty while it is.
        this.reason = "";
        /// performance.now() of the next attempt while the state is "waiting".
        this.retryAt = 0;
        this.counters = { skippedFrames: 0, stalls: 0, jumps: 0, reconnects: 0, receivedBytes: 0, receivedFrames: 0 };
        this.stats = this.measure();
        this.socket = null;
        this.media = null;
        this.failures = 0;
        this.listeners = {
            waiting: () => this.onWaiting(), playing: () => this.onPlaying(), error: () => this.onVideoError(),
        };
        for (const [name, listener] of Object.entries(this.listeners)) video.addEventListener(name, listener);
        video.playsInline = true;
        // ManagedMediaSource opens only where the video cannot be sent elsewhere.
        video.disableRemotePlayback = true;
    }

    start() {
        if (!["idle", "failed", "ended"].includes(this.state)) return;
        if (!MediaSourceType) {
            this.become("failed", "This browser has no Media Source Extensions");
            return;
        }
        this.failures = 0;
        this.timer = setInterval(() => this.tick(), TICK_MS);
        this.connect();
    }

    /// Closes the connection and frees what is buffered. The last picture goes too.
    stop() {
        clearInterval(this.timer);
        clearTimeout(this.retryTimer);
        this.probe?.abort();
        this.closeSocket(1000, "stopped");
        this.releaseMedia();
        this.video.playbackRate = 1;
        this.become("idle");
    }

    destroy() {
        this.stop();
        for (const [name, listener] of Object.entries(this.listeners)) this.video.removeEventListener(name, listener);
    }

    /// To be called from a gesture where sound is wanted: browsers start no sound without one.
    async setMuted(muted) {
        this.video.muted = muted;
        await this.play();
    }

    become(state, reason = "") {
        if (state === this.state && reason === this.reason) return;
        this.state = state;
        this.reason = reason;
        this.stats = this.measure();
        this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
    }

    // Connection.

    connect() {
        this.become("connecting", this.reason);
        this.tracks = { video: null, audio: null };
        this.expects = { video: false, audio: false };
        this.firstDts = null;
        this.lastDts = null;
        this.lastAudioDts = null;
        this.soundIsAway = false;
        this.needsKey = true;
        this.fresh = true;
        const now = performance.now();
        this.connectedAt = null;
        this.lastDataAt = now;
        this.lastFrameAt = now;
        const demuxer = new FLVDemuxer({
            onTracks: ({ hasVideo, hasAudio }) => {
                if (hasVideo !== undefined) this.expects.video = hasVideo;
                if (hasAudio !== undefined) this.expects.audio = hasAudio;
            },
            onVideoConfig: (config) => this.onConfig("video", config),
            onAudioConfig: (config) => this.onConfig("audio", config),
            onVideo: (sample) => this.onVideo(sample),
            onAudio: (sample) => this.onAudio(sample),
        });
        let socket;
        try {
            socket = this.open(this.address);
        } catch (error) {
            this.become("failed", `The address cannot be opened: ${error.message}`);
            return;
        }
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
            this.connectedAt = this.lastDataAt = this.lastFrameAt = performance.now();
            this.become("buffering");
        };
        socket.onmessage = ({ data }) => {
            if (!(data instanceof ArrayBuffer)) return;
            this.lastDataAt = performance.now();
            this.counters.receivedBytes += data.byteLength;
            try {
                demuxer.push(new Uint8Array(data));
            } catch (error) {
                this.retry(`The stream cannot be read: ${error.message}`);
            }
        };
        socket.onclose = ({ code, reason }) => {
            const opened = this.connectedAt !== null;
            if (this.recorded && opened) {
                this.end(code);
                return;
            }
            this.retry(CLOSE_REASONS[code] ?? (reason || (opened ? "The connection was lost" : "The device cannot be reached")));
            // A refused upgrade has no text here; the same address over HTTP says why.
            if (!opened && this.ask) this.askWhy();
        };
        this.socket = socket;
    }

    /// The last picture stays.
    end(code) {
        clearInterval(this.timer);
        this.closeSocket(1000, "ended");
        if (code === 1000) this.become("ended", "The recording ends here");
        else this.become("failed", CLOSE_REASONS[code] ?? "The connection was lost");
    }

    /// The device is told by whoever knows how.
    setPaused(paused) {
        this.paused = paused;
        if (paused) {
            this.video.pause();
        } else {
            this.lastDataAt = this.lastFrameAt = performance.now();
            // The stream's clock stood still meanwhile.
            if (this.media) this.media.arrivals = [-Infinity, -Infinity];
            this.play();
        }
    }

    closeSocket(code, reason) {
        const socket = this.socket;
        if (!socket) return;
        this.socket = null;
        socket.onopen = socket.onmessage = socket.onclose = null;
        try {
            socket.close(code, reason);
        } catch {
            // It was never open.
        }
    }

    retry(reason) {
        const connectedFor = this.connectedAt === null ? 0 : performance.now() - this.connectedAt;
        this.closeSocket(4000, "reconnecting");
        if (connectedFor > GOOD_CONNECTION_MS) this.failures = 0;
        const delay = Math.min(FIRST_RETRY_MS * 2 ** this.failures, MAX_RETRY_MS) * (0.75 + Math.random() / 2);
        this.failures = Math.min(this.failures + 1, 16);
        this.retryAt = performance.now() + delay;
        clearTimeout(this.retryTimer);
        this.retryTimer = setTimeout(() => {
            this.counters.reconnects += 1;
            this.connect();
        }, delay);
        this.become("waiting", reason);
    }

    async askWhy() {
        this.probe?.abort();
        const probe = this.probe = new AbortController();
        const timeout = setTimeout(() => probe.abort(), 3000);
        try {
            const address = new URL(this.address);
            address.protocol = address.protocol.replace(/^ws/, "http");
            const response = await this.ask(address, { signal: probe.signal, cache: "no-store" });
            if (!response.ok) {
                const message = (await response.json())?.error?.message;
                if (typeof message === "string" && this.state === "waiting") this.become("waiting", message.slice(0, 300));
            }
        } catch {
            // No answer: what is shown already is all that is known.
        } finally {
            clearTimeout(timeout);
            probe.abort();
        }
    }

    // Samples.

    // One message may hold more samples than are wanted after the first of them ended the connection.

    onConfig(kind, config) {
        if (!this.socket) return;
        const old = this.tracks[kind];
        if (old && equal(old.config, config)) return;
        const track = kind === "video" ? videoTrack(config) : audioTrack(config);
        if (!MediaSourceType.isTypeSupported(track.mime)) {
            const name = kind === "video" ? "picture" : "sound";
            this.stop();
            this.become("failed", `This browser cannot play the ${name} (${track.mime})`);
            return;
        }
        this.tracks[kind] = track;
        if (this.fresh) {
            this.startMediaIfComplete();
        } else if (this.media.buffers[kind] && (track.mime === old.mime || "changeType" in SourceBuffer.prototype)) {
            if (kind === "video") {
                this.pendingConfig = track;
                this.needsKey = true;
            } else {
                this.media.buffers.audio.change(track);
                this.media.audioEnd = null;
            }
        } else {
            this.restartMedia();
        }
    }

    onVideo(sample) {
        if (!this.socket) return;
        this.advance(sample.dts);
        this.counters.receivedFrames += 1;
        // Sound that stays away would hold the picture up.
        if (this.media?.buffers.audio && sample.dts - (this.lastAudioDts ?? this.firstDts) > TRACK_WAIT_MS) {
            this.soundIsAway = true;
            this.restartMedia();
        }
        if (this.needsKey && !sample.key) {
            this.counters.skippedFrames += this.fresh ? 0 : 1;
            return;
        }
        const buffer = this.media?.buffers.video;
        if (this.fresh || !buffer) return;
        this.needsKey = false;
        const media = this.media;
        media.base ??= sample.dts;
        // A time that does not rise would make a sample without length.
        const dts = Math.max(sample.dts - media.base, media.held ? media.held.dts + 1 : 0);
        this.flushHeld(dts);
        if (this.pendingConfig) {
            buffer.change(this.pendingConfig);
            this.pendingConfig = null;
        }
        media.held = { dts, cts: sample.cts, key: sample.key, data: sample.data.slice() };
        this.noteArrival(dts + sample.cts);
        if (buffer.isFull) this.dropToKeyFrame();
    }

    /// A picture lasts until the next one, so it waits for that one's time.
    flushHeld(nextDts) {
        const { media } = this;
        if (!media.held) return;
        media.buffers.video.add({ ...media.held, duration: nextDts - media.held.dts });
        media.held = null;
    }

    onAudio(sample) {
        if (!this.socket) return;
        this.advance(sample.dts);
        this.lastAudioDts = sample.dts;
        if (this.soundIsAway) {
            this.soundIsAway = false;
            this.restartMedia();
        }
        const { media } = this;
        const buffer = media?.buffers.audio;
        if (this.fresh || !buffer) return;
        if (media.buffers.video && media.base === null) return;
        media.base ??= sample.dts;
        const { timescale } = this.tracks.audio;
        const due = Math.round(((sample.dts - media.base) * timescale) / 1000);
        if (due < 0) return;
        // The length of sound is counted in samples; its time stamps, in whole milliseconds, only steer.
        let dts = media.audioEnd ?? due;
        let duration = 1024;
        const error = due - dts;
        if (error > timescale / 10) {
            dts = due;
        } else if (error < -timescale / 2) {
            this.counters.skippedFrames += 1;
            return;
        } else {
            duration += Math.max(-32, Math.min(32, Math.round(error / 16)));
        }
        media.audioEnd = dts + duration;
        buffer.add({ dts, cts: 0, key: true, duration, data: sample.data.slice() });
        if (!media.buffers.video) this.noteArrival((dts * 1000) / timescale);
        if (buffer.isFull) this.dropToKeyFrame();
    }

    /// Follows the stream's time.
    advance(dts) {
        this.lastFrameAt = performance.now();
        if (this.lastDts !== null && Math.abs(dts - this.lastDts) > TIMELINE_JUMP_MS && !this.fresh) this.restartMedia();
        this.lastDts = dts;
        this.firstDts ??= dts;
        if (this.fresh) this.startMediaIfComplete(dts - this.firstDts > TRACK_WAIT_MS);
    }

    dropToKeyFrame() {
        for (const buffer of Object.values(this.media.buffers)) this.counters.skippedFrames += buffer.drop();
        this.media.held = null;
        this.needsKey = Boolean(this.media.buffers.video);
    }

    // Media source.

    /// A source takes no further track once it plays, so each announced track is waited for, within reason.
    startMediaIfComplete(late = false) {
        const { tracks, expects } = this;
        const complete = (expects.video || expects.audio) && (!expects.video || tracks.video) && (!expects.audio || tracks.audio);
        if (complete || (late && (tracks.video || tracks.audio))) this.startMedia();
    }

    restartMedia() {
        this.fresh = true;
        this.needsKey = true;
        this.pendingConfig = null;
        this.startMediaIfComplete(true);
    }

    startMedia() {
        this.releaseMedia();
        this.fresh = false;
        this.pendingConfig = null;
        const source = new MediaSourceType();
        const media = this.media = {
            source, url: URL.createObjectURL(source), buffers: {}, base: null, held: null, audioEnd: null,
            started: false, startedAt: performance.now(), target: TARGET_SECONDS, targetAt: 0, stuckSince: null,
            arrivals: [-Infinity, -Infinity], arrivalsAt: performance.now(), trimmedAt: 0,
        };
        for (const track of [this.tracks.video, this.soundIsAway ? null : this.tracks.audio]) {
            if (track) media.buffers[track.kind] = new TrackBuffer(track, (error) => this.onBufferFailure(media, error));
        }
        source.addEventListener("sourceopen", () => {
            URL.revokeObjectURL(media.url);
            if (this.media !== media) return;
            try {
                const sources = Object.values(media.buffers).map((buffer) => [buffer, source.addSourceBuffer(buffer.mime)]);
                for (const [buffer, sourceBuffer] of sources) {
                    sourceBuffer.addEventListener("updateend", () => this.media === media && this.startPlaying());
                    buffer.attach(sourceBuffer);
                }
            } catch (error) {
                this.retry(`The browser refused the stream: ${error.message}`);
            }
        }, { once: true });
        this.video.src = media.url;
        this.play();
    }

    releaseMedia() {
        const { media, video } = this;
        if (!media) return;
        this.media = null;
        for (const buffer of Object.values(media.buffers)) {
            const { source } = buffer;
            buffer.detach();
            try {
                if (source && media.source.readyState === "open") media.source.removeSourceBuffer(source);
            } catch {
                // The browser had taken it away already.
            }
        }
        URL.revokeObjectURL(media.url);
        video.removeAttribute("src");
        video.load();
    }

    onBufferFailure(media, error) {
        if (this.media !== media) return;
        if (error.name === "QuotaExceededError") {
            const end = this.video.currentTime - 1;
            const buffer = Object.values(media.buffers).find((one) => one.retry);
            if (buffer && end > 0) {
                buffer.remove(0, end);
                return;
            }
        }
        this.retry(`The browser gave up: ${error.message}`);
    }

    onVideoError() {
        if (!this.media || this.state === "waiting") return;
        this.retry(`The browser could not play the stream: ${this.video.error?.message || "decoding failed"}`);
    }

    // Playback and the live edge.

    async play() {
        try {
            await this.video.play();
        } catch (error) {
            // AbortError only says that a newer source took over.
            if (error.name === "NotAllowedError" && this.media) {
                if (this.video.muted) this.become("blocked", "Press play to start");
                else await this.setMuted(true);
            }
        }
    }

    startPlaying() {
        const { media, video } = this;
        if (media.started || !video.buffered.length) return;
        media.started = true;
        media.startedAt = performance.now();
        this.jump();
    }

    onPlaying() {
        if (this.socket && this.media?.started) this.become("playing");
    }

    onWaiting() {
        const { media } = this;
        if (!media?.started || this.video.seeking || this.state !== "playing") return;
        this.counters.stalls += 1;
        media.target = Math.min(media.target + 0.1, MAX_TARGET_SECONDS);
        media.targetAt = performance.now();
    }

    /// Remembers the least delayed arrival of the last five to ten seconds: where "now" is on the stream's clock.
    noteArrival(milliseconds) {
        const { media } = this;
        const now = performance.now();
        if (now - media.arrivalsAt > 5000) {
            media.arrivals = [media.arrivals[1], -Infinity];
            media.arrivalsAt = now;
        }
        media.arrivals[1] = Math.max(media.arrivals[1], milliseconds - now);
    }

    /// The stream's present moment on the element's time line, in seconds.
    get liveEdge() {
        const offset = Math.max(...(this.media?.arrivals ?? [-Infinity]));
        return offset === -Infinity ? NaN : (offset + performance.now()) / 1000;
    }

    /// Goes to the live edge, as near as what is buffered allows.
    jump() {
        const { media, video } = this;
        const { buffered } = video;
        if (!buffered.length) return;
        const last = buffered.length - 1;
        const end = buffered.end(last);
        const wanted = Math.min(this.liveEdge - media.target || Infinity, end - 0.1);
        const time = Math.max(wanted, buffered.start(last) + 0.001);
        if (Math.abs(time - video.currentTime) < 0.05) return;
        video.currentTime = time;
        this.counters.jumps += 1;
    }

    tick() {
        if (this.paused) return;
        const now = performance.now();
        if (this.socket) {
            if (now - this.lastDataAt > SILENCE_TIMEOUT_MS) {
                this.retry(this.connectedAt === null ? "The device does not answer" : "The device has gone silent");
            } else if (this.connectedAt !== null && now - this.lastFrameAt > NO_SIGNAL_AFTER_MS) {
                this.become("noSignal", "Connected, but no picture or sound comes");
            } else if (this.state === "noSignal") {
                this.become("buffering");
            }
        }
        if (this.media?.started) this.followLiveEdge(now);
        if (now - (this.measuredAt ?? 0) >= 1000) {
            this.stats = this.measure();
            this.dispatchEvent(new CustomEvent("stats", { detail: this.stats }));
        }
    }

    followLiveEdge(now) {
        const { media, video } = this;
        const { buffered } = video;
        if (!buffered.length) return;
        if (video.paused && this.state !== "blocked" && !document.hidden) this.play();
        const ahead = buffered.end(buffered.length - 1) - video.currentTime;
        const latency = this.liveEdge - video.currentTime;
        const advances = video.currentTime !== media.lastTime;
        media.lastTime = video.currentTime;
        if (advances && this.socket && ["buffering", "connecting"].includes(this.state)) this.become("playing");
        media.stuckSince = advances || video.seeking ? null : media.stuckSince ?? now;
        const stuck = media.stuckSince !== null && now - media.stuckSince > 700 && !video.paused;

        if (!video.seeking && this.socket) {
            const limit = now - media.startedAt < SETTLE_MS ? media.target + CATCH_UP_ABOVE_TARGET : JUMP_ABOVE_SECONDS;
            if ((latency > limit && ahead > media.target) || (stuck && ahead > 0.2)) {
                this.jump();
                media.stuckSince = null;
            }
        }
        let rate = video.playbackRate;
        if (latency > media.target + CATCH_UP_ABOVE_TARGET && ahead > 0.2) rate = CATCH_UP_RATE;
        else if (latency < media.target + 0.05 || ahead < 0.15) rate = 1;
        if (rate !== video.playbackRate) video.playbackRate = rate;
        if (media.target > TARGET_SECONDS && now - media.targetAt > 20_000) {
            media.target = Math.max(media.target - 0.05, TARGET_SECONDS);
            media.targetAt = now;
        }
        if (video.currentTime - buffered.start(0) > TRIM_ABOVE_SECONDS && now - media.trimmedAt > 2000) {
            media.trimmedAt = now;
            for (const buffer of Object.values(media.buffers)) buffer.remove(0, video.currentTime - KEEP_BEHIND_SECONDS);
        }
    }

    measure() {
        const { video, counters } = this;
        const now = performance.now();
        const seconds = (now - (this.measuredAt ?? now)) / 1000;
        const quality = video.getVideoPlaybackQuality?.() ?? { totalVideoFrames: 0, droppedVideoFrames: 0 };
        if (!this.measured || seconds >= 0.9) {
            const last = this.measured ?? counters;
            this.rates = {
                framesPerSecond: seconds > 0 ? (counters.receivedFrames - last.receivedFrames) / seconds : 0,
                bitsPerSecond: seconds > 0 ? ((counters.receivedBytes - last.receivedBytes) * 8) / seconds : 0,
            };
            this.measured = { ...counters };
            this.measuredAt = now;
        }
        const { buffered } = video;
        const count = buffered.length;
        return {
            ...counters,
            ...this.rates,
            state: this.state,
            /// Seconds by which the picture is behind the newest that has arrived.
            latency: this.media?.started ? this.liveEdge - video.currentTime : NaN,
            bufferedAhead: count ? buffered.end(count - 1) - video.currentTime : 0,
            bufferedBehind: count ? video.currentTime - buffered.start(0) : 0,
            playbackRate: video.playbackRate,
            totalFrames: quality.totalVideoFrames,
            droppedFrames: quality.droppedVideoFrames,
            width: video.videoWidth,
            height: video.videoHeight,
        };
    }
}
