// The page: a wall of live tiles, one player to each.

import { access } from "./access.js";
import { FLVPlayer } from "./player.js";
import { PTZPad } from "./ptz.js";
import { Timeline, clock, command } from "./recordings.js";
import { Talk } from "./talk.js";
import { device, newVisitor } from "./transport.js";
import { WayButton } from "./way.js";

const STORAGE_KEY = "edge-agent.wall.1";
const MAX_TILES = 64;
/// With more tiles than this, a tile starts in standard quality unless the viewer chose another.
const MANY_TILES = 4;
/// A page that nobody sees gives its streams back after this, unless it is being listened to.
const HIDDEN_STOP_MS = 30_000;
const NARROWEST_TILE = 280;
const TILE_BORDER_AND_FOOTER = 52;
const GAP = 12;

const QUALITY_NAMES = { super: "Super", high: "High", standard: "Standard" };
const element = (id) => document.getElementById(id);
const wall = element("wall");

// MARK: Remembered choices

/// Storage may be full, switched off or hold anything; the page works without.
const memory = {
    load() {
        try {
            const stored = JSON.parse(localStorage.getItem(STORAGE_KEY));
            if (!Array.isArray(stored?.tiles)) return null;
            return stored.tiles.slice(0, MAX_TILES).filter((tile) => Number.isInteger(tile?.channel));
        } catch {
            return null;
        }
    },
    save(tiles) {
        try {
            localStorage.setItem(STORAGE_KEY, JSON.stringify({ tiles }));
        } catch {
            // Nothing is lost but the memory of the choice.
        }
    },
};

// MARK: Tile

class Tile {
    constructor(channel, { quality = null, started = true } = {}) {
        this.channel = channel;
        /// What the viewer chose; null leaves it to the page.
        this.chosenQuality = channel.qualities.includes(quality) ? quality : null;
        this.started = started;
        this.suspended = false;
        /// A link carries one stream of a channel, so a channel's second tile has another link.
        this.lane = page.freeLane(channel);
        /// What is played of the recordings, null for live: a range, where in it the viewer wanted to be and where the
        /// picture is, in seconds since 1970, and the visitor that plays it.
        this.recording = null;
        this.quality = this.bestQuality();
        this.root = element("tile").content.firstElementChild.cloneNode(true);
        const part = (name) => this.root.querySelector(name);
        this.video = part("video");
        this.video.muted = true;
        this.text = part(".text");
        this.reasonText = part(".reason");
        this.playButton = part(".play");
        this.soundButton = part(".sound");
        this.fullButton = part(".full");
        this.qualitySelect = part(".quality");
        part(".name").textContent = channel.name;
        this.root.setAttribute("aria-label", channel.name);
        this.label(part(".remove"), "Remove from the wall");
        this.label(part(".start"), "Start");
        this.label(part(".live"), "Back to live");
        this.label(this.fullButton, "Full screen");
        this.qualitySelect.setAttribute("aria-label", `Quality, ${channel.name}`);
        for (const quality of channel.qualities) {
            this.qualitySelect.add(new Option(QUALITY_NAMES[quality] ?? quality, quality));
        }
        this.qualitySelect.hidden = channel.qualities.length < 2;
        this.soundButton.hidden = !channel.hasAudio;
        this.root.toggleAttribute("data-sound-only", !channel.hasVideo);

        part(".live").addEventListener("click", () => this.goLive());
        part(".remove").addEventListener("click", () => this.remove());
        part(".start").addEventListener("click", () => (this.player?.state === "blocked" ? this.player.play() : this.start()));
        this.playButton.addEventListener("click", () => this.togglePlay());
        this.soundButton.addEventListener("click", () => this.setSound(this.video.muted));
        this.fullButton.addEventListener("click", () => this.toggleFullScreen());
        this.video.addEventListener("dblclick", () => this.toggleFullScreen());
        this.video.addEventListener("volumechange", () => this.showSound());
        this.qualitySelect.addEventListener("change", () => this.setQuality(this.qualitySelect.value));
        if (channel.ptz) {
            this.label(part(".aim"), "Turn the camera");
            this.pad = new PTZPad(this, { onFailure: (text) => { this.text.title = text; } });
        }
        wall.append(this.root);
        this.open();
        this.show();
        this.showSound();
    }

    get state() { return this.player?.state ?? "idle"; }
    get stats() { return this.player?.stats ?? null; }

    label(button, text) {
        button.setAttribute("aria-label", `${text}: ${this.channel.name}`);
        button.title = text;
    }

    bestQuality() {
        if (this.chosenQuality) return this.chosenQuality;
        const { qualities } = this.channel;
        const wanted = page.isCrowded ? "standard" : "high";
        return qualities.includes(wanted) ? wanted : qualities[0] ?? "high";
    }

    open() {
        this.player?.destroy();
        const { recording, channel: { channel } } = this;
        const query = new URLSearchParams(recording
            ? { action: "playback", channel, start_time: recording.start, end_time: recording.end,
                _progress: Math.round(1000 * (recording.position - recording.start)), _visitor: recording.visitor }
            : { action: "live", channel, quality: this.quality });
        this.player = new FLVPlayer(this.video, `ipc.flv?${query}`, {
            recorded: recording !== null,
            ...device.isPeer
                ? { open: (address) => device.openStream(address, this.lane), ask: null }
                : { open: (address) => access.webSocket(address), ask: (address, options) => access.fetch(address, options) },
        });
        this.player.addEventListener("state", () => this.show());
        this.player.addEventListener("stats", () => this.show());
        if (this.started && !this.suspended) this.player.start();
    }

    reopen() {
        this.pad?.show(false);
        if (this.recording) this.recording.visitor = newVisitor();
        this.open();
        this.show();
    }

    togglePlay() {
        if (this.recording && this.player.state !== "ended" && this.player.state !== "idle") this.setPaused(!this.player.paused);
        else if (this.started && this.player.state !== "ended") this.stop();
        else this.start();
    }

    // Recorded footage.

    /// From a position on, within a range, all in seconds since 1970. Within what is playing already the device seeks.
    async playRecording(position, start, end) {
        const { recording } = this;
        if (recording?.start === start && recording.end === end && ["playing", "buffering"].includes(this.state)) {
            recording.position = recording.chosen = position;
            try {
                await this.order("playback_seek", { progress: Math.round(1000 * (position - start)) });
                if (this.player.paused) await this.setPaused(false);
                return;
            } catch {
                // It has just ended; begin again.
            }
        }
        this.recording = { start, end, visitor: newVisitor(), position, chosen: position };
        this.started = true;
        clearInterval(this.follower);
        this.follower = setInterval(() => this.followRecording(), 1000);
        this.open();
        this.show();
        page.changed();
    }

    goLive() {
        clearInterval(this.follower);
        this.recording = null;
        page.timeline.mark(this.channel.channel, null);
        this.started = true;
        this.open();
        this.show();
        page.changed();
    }

    order(cmd, parameters = {}) {
        return command({ channel: this.channel.channel, cmd, ...parameters }, { visitor: this.recording.visitor, lane: this.lane });
    }

    async setPaused(paused) {
        this.player.setPaused(paused);
        this.show();
        try {
            await this.order(paused ? "playback_pause" : "playback_resume");
        } catch {
            // The playback has ended; the player says so.
        }
    }

    async followRecording() {
        const { recording } = this;
        if (!recording || this.state !== "playing" || document.hidden) return;
        try {
            const { progress } = await this.order("playback_progress");
            if (this.recording !== recording) return;
            recording.position = recording.start + Number(progress) / 1000;
            page.timeline.mark(this.channel.channel, recording.position);
            this.show();
        } catch {
            // The next look tells more.
        }
    }

    start() {
        this.started = true;
        const { recording } = this;
        if (recording) {
            this.playRecording(this.player.state === "ended" ? recording.chosen : recording.position, recording.start, recording.end);
            return;
        }
        this.player.stop();
        if (!this.suspended) this.player.start();
        this.show();
        page.changed();
    }

    stop() {
        this.started = false;
        this.player.stop();
        this.show();
        page.changed();
    }

    /// Gives the stream back while the page is out of sight.
    suspend(suspended, evenIfHeard = false) {
        if (this.suspended === suspended) return;
        if (suspended && !this.video.muted && !evenIfHeard) return;
        this.suspended = suspended;
        if (suspended) this.player.stop();
        else if (this.started && this.recording) this.playRecording(this.recording.position, this.recording.start, this.recording.end);
        else if (this.started) this.player.start();
    }

    setQuality(quality) {
        this.chosenQuality = quality;
        this.quality = quality;
        this.open();
        this.show();
        page.changed();
    }

    async setSound(on) {
        await this.player.setMuted(!on);
    }

    showSound() {
        const heard = !this.video.muted;
        this.root.toggleAttribute("data-heard", heard);
        this.soundButton.setAttribute("aria-pressed", String(heard));
        this.label(this.soundButton, heard ? "Sound off" : "Sound on");
    }

    async toggleFullScreen() {
        try {
            if (document.fullscreenElement) await document.exitFullscreen();
            else if (this.root.requestFullscreen) await this.root.requestFullscreen();
            else this.video.webkitEnterFullscreen?.();
        } catch {
            // The browser does not allow it here; the picture stays as it is.
        }
    }

    remove() {
        clearInterval(this.follower);
        this.pad?.show(false);
        const next = this.root.nextElementSibling ?? this.root.previousElementSibling;
        this.player.destroy();
        this.root.remove();
        page.tiles.splice(page.tiles.indexOf(this), 1);
        (next?.querySelector(".remove") ?? element("add")).focus({ preventScroll: true });
        page.changed();
    }

    show() {
        const { root, player } = this;
        root.dataset.state = player.state;
        const runs = this.started && !player.paused && player.state !== "ended";
        root.toggleAttribute("data-started", runs);
        root.toggleAttribute("data-recorded", this.recording !== null);
        this.label(this.playButton, runs ? (this.recording ? "Pause" : "Stop") : "Start");
        if (this.qualitySelect.value !== this.quality) this.qualitySelect.value = this.quality;
        setText(this.text, this.stateLine());
        setText(this.reasonText, this.reasonLine());
        this.text.title = this.details();
        page.summarise();
    }

    stateLine() {
        const { player, recording } = this;
        if (recording && ["playing", "ended"].includes(player.state)) {
            const time = clock(recording.position);
            return player.state === "ended" ? "Recording ended" : `${time} · ${player.paused ? "paused" : "recorded"}`;
        }
        switch (player.state) {
        case "connecting": return player.reason ? "Reconnecting…" : "Connecting…";
        case "buffering": return "Loading…";
        case "playing": {
            const { latency } = player.stats;
            return Number.isFinite(latency) ? `Live · ${Math.max(latency, 0).toFixed(1)} s` : "Live";
        }
        case "waiting": {
            const seconds = Math.max(Math.ceil((player.retryAt - performance.now()) / 1000), 1);
            return `Reconnecting in ${seconds} s`;
        }
        case "noSignal": return "No signal";
        case "blocked": return "Ready";
        case "failed": return "Cannot play";
        default: return this.suspended ? "Paused" : "Stopped";
        }
    }

    reasonLine() {
        const { player } = this;
        if (player.state === "playing") return this.channel.hasVideo ? "" : "Sound only";
        return player.reason;
    }

    details() {
        const { stats, state } = this.player;
        if (state !== "playing") return "";
        const parts = [];
        if (stats.width) parts.push(`${stats.width}×${stats.height}`);
        if (stats.framesPerSecond) parts.push(`${stats.framesPerSecond.toFixed(0)} pictures/s`);
        parts.push(`${(stats.bitsPerSecond / 1e6).toFixed(2)} Mbit/s`, `${stats.droppedFrames} dropped`);
        return parts.join(" · ");
    }
}

function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

// MARK: Page

class Page {
    constructor() {
        this.tiles = [];
        this.channels = [];
        /// A wall that the address asks for is not remembered.
        this.requested = new URLSearchParams(location.search).get("tiles");
        this.timeline = new Timeline({
            onPlay: (channel, ...moment) => this.playRecording(channel, moment), onResize: () => this.layOut(),
        });
        this.talk = new Talk(element("talk"), element("talk-state"));
        this.way = new WayButton(element("way"), () => this.changeWay());
        element("notice-action").addEventListener("click", () => this.load());
        element("sign-in").addEventListener("submit", (event) => {
            event.preventDefault();
            this.signIn(element("token").value);
        });
        element("add").addEventListener("change", ({ target }) => {
            const channel = this.channels.find((one) => String(one.channel) === target.value);
            target.value = "";
            if (channel) this.add(channel);
        });
        element("toggle-all").addEventListener("click", () => {
            const start = !this.tiles.some((tile) => tile.started);
            for (const tile of this.tiles) if (tile.started !== start) start ? tile.start() : tile.stop();
        });
        new ResizeObserver(() => this.layOut()).observe(document.documentElement);
        document.addEventListener("visibilitychange", () => {
            clearTimeout(this.hiddenTimer);
            if (!document.hidden) this.suspend(false);
            else this.hiddenTimer = setTimeout(() => this.suspend(true), HIDDEN_STOP_MS);
        });
        // A page kept for the back button keeps no streams.
        addEventListener("pagehide", () => this.suspend(true, true));
        addEventListener("pageshow", () => this.suspend(false));
    }

    get isCrowded() {
        return (this.expected ?? this.tiles.length) > MANY_TILES;
    }

    async load() {
        this.notice("");
        try {
            if (!await access.enter()) return this.askForToken("");
            const response = await access.fetch("channels.json");
            if (!response.ok) throw new Error(`the device answered with status ${response.status}`);
            this.channels = await response.json();
        } catch (error) {
            this.notice(`The list of cameras cannot be read: ${error.message}.`, true);
            return;
        }
        if (!this.channels.length) {
            this.notice("This device has no camera or microphone configured yet.", true);
            return;
        }
        const byNumber = new Map(this.channels.map((channel) => [channel.channel, channel]));
        let wanted = this.channels.map(({ channel }) => ({ channel }));
        if (this.requested !== null) {
            wanted = this.requested.split(",").slice(0, MAX_TILES).map((number) => ({ channel: Number.parseInt(number, 10) }));
        } else {
            wanted = memory.load() ?? wanted;
        }
        wanted = wanted.filter(({ channel }) => byNumber.has(channel)).slice(0, MAX_TILES);
        this.expected = wanted.length;
        for (const choice of wanted) this.tiles.push(new Tile(byNumber.get(choice.channel), choice));
        this.expected = undefined;
        const add = element("add");
        add.replaceChildren(new Option("Add…", ""), ...this.channels.map(({ channel, name }) => new Option(name, channel)));
        add.hidden = false;
        this.timeline.load(this.channels);
        this.layOut();
        this.summarise();
    }

    /// - refusal: why the last one was not good.
    askForToken(refusal) {
        element("sign-in").hidden = false;
        setText(element("sign-in-refusal"), refusal);
        element("token").focus();
    }

    async signIn(token) {
        try {
            await access.signIn(token);
        } catch (error) {
            return this.askForToken(`That did not work: ${error.message}.`);
        }
        element("token").value = "";
        element("sign-in").hidden = true;
        await this.load();
    }

    add(channel) {
        if (this.tiles.length >= MAX_TILES) return;
        this.tiles.push(new Tile(channel));
        this.changed();
        this.tiles.at(-1).root.scrollIntoView({ block: "nearest" });
    }

    /// On the channel's first tile; where it has none, on a new one.
    playRecording(channel, moment) {
        const ofChannel = () => this.tiles.find((tile) => tile.channel.channel === channel.channel);
        if (!ofChannel()) this.add(channel);
        const tile = ofChannel();
        tile?.root.scrollIntoView({ block: "nearest" });
        tile?.playRecording(...moment);
    }

    /// Everything that is open is opened anew, the other way.
    changeWay() {
        this.talk.stop();
        if (!device.isPeer) device.rest();
        for (const tile of this.tiles) tile.reopen();
    }

    freeLane(channel) {
        const taken = new Set(this.tiles.filter((tile) => tile.channel.channel === channel.channel).map(({ lane }) => lane));
        let lane = 0;
        while (taken.has(lane)) lane += 1;
        return lane;
    }

    changed() {
        this.layOut();
        this.summarise();
        if (this.requested !== null) return;
        memory.save(this.tiles.map(({ channel, chosenQuality, started }) => (
            { channel: channel.channel, quality: chosenQuality, started })));
    }

    suspend(suspended, evenIfHeard = false) {
        for (const tile of this.tiles) tile.suspend(suspended, evenIfHeard);
        if (suspended && this.tiles.every((tile) => tile.suspended)) device.rest();
    }

    summarise() {
        const { tiles } = this;
        const count = (isRecorded) => tiles.filter(({ state, recording }) => state === "playing" && (recording !== null) === isRecorded).length;
        const recorded = count(true);
        setText(element("summary"), tiles.length ? `${count(false)} of ${tiles.length} live${recorded ? `, ${recorded} recorded` : ""}` : "");
        const toggle = element("toggle-all");
        toggle.hidden = tiles.length < 2;
        setText(toggle, tiles.some((tile) => tile.started) ? "Stop all" : "Start all");
        if (this.channels.length) this.notice(tiles.length ? "" : "The wall is empty. Add a camera from the list above.");
    }

    notice(text, retry = false) {
        element("notice").hidden = text === "";
        setText(element("notice-text"), text);
        element("notice-action").hidden = !retry;
    }

    /// As many columns as make the tiles largest without scrolling; where they would be too small, it scrolls.
    layOut() {
        document.documentElement.style.setProperty("--timeline-height", `${element("timeline").offsetHeight}px`);
        const count = this.tiles.length;
        if (!count) return;
        const style = getComputedStyle(wall);
        const width = wall.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
        const height = innerHeight - element("timeline").offsetHeight - wall.offsetTop - Number.parseFloat(style.paddingBottom);
        let best = { columns: 1, width: 0 };
        for (let columns = 1; columns <= count; columns++) {
            const rows = Math.ceil(count / columns);
            const free = (height - (rows - 1) * GAP) / rows - TILE_BORDER_AND_FOOTER;
            const tile = Math.floor(Math.min((width - (columns - 1) * GAP) / columns, (free * 16) / 9));
            if (tile > best.width) best = { columns, width: tile };
        }
        if (best.width < Math.min(NARROWEST_TILE, width)) {
            const columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (NARROWEST_TILE + GAP))));
            best = { columns, width: Math.floor((width - (columns - 1) * GAP) / columns) };
        }
        wall.style.setProperty("--columns", best.columns);
        wall.style.setProperty("--tile-width", `${best.width}px`);
    }
}

const page = new Page();
/// For tests and for the console: the tiles with their video elements, players, states and figures.
globalThis.edgeAgentPage = page;
page.load();
