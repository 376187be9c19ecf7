// A recorded file that comes over a link: what is lost on the way is asked for again from where it broke off.

import { device, viewer } from "./transport.js";

/// Milliseconds before the next attempt, while none brings anything; then the viewer is asked.
const RETRY_MS = [200, 1000, 2000, 4000, 8000];
/// Pieces are put together when they are so many bytes; browsers keep what is together out of the page's memory.
const GATHER_BYTES = 8 << 20;

export class Download {
    /// file: { channel, name, bytes }. onChange() is told of each change.
    ///
    /// States: "idle", "running", "stopped" (by the viewer; start() goes on), "complete", "failed" (`reason` says why).
    constructor(file, onChange) {
        this.file = file;
        this.onChange = onChange;
        this.state = "idle";
        this.reason = "";
        this.bytes = 0;
        this.parts = [];
        this.loose = [];
        this.looseBytes = 0;
        this.failures = 0;
    }

    start() {
        if (!["idle", "stopped"].includes(this.state)) return;
        this.failures = 0;
        this.become("running");
        this.attempt();
    }

    stop() {
        if (this.state !== "running") return;
        this.become("stopped");
        clearTimeout(this.timer);
        if (this.link) viewer.stopLocalDownload(this.link);
    }

    async attempt() {
        try {
            this.link = await device.link();
            if (this.state !== "running") return;
            const { channel, name } = this.file;
            viewer.startLocalDownload(this.link, { channel, file_name: name, offset: this.bytes }, {
                onChunkReceived: (data) => this.take(data),
                onSuccess: () => (this.bytes >= this.file.bytes ? this.save() : this.retry("the file ends early")),
                onFailure: ({ status }) => this.become("failed", `The device answered ${status}`),
                onError: ({ errmsg }) => this.retry(errmsg),
                // Another download took its place, or the link is not wanted any more.
                onStop: () => this.state === "running" && this.become("stopped"),
            });
        } catch (error) {
            this.retry(error.message);
        }
    }

    retry(reason) {
        if (this.state !== "running") return;
        if (this.failures >= RETRY_MS.length) {
            this.become("stopped", `It broke off: ${reason}`);
            return;
        }
        this.timer = setTimeout(() => this.attempt(), RETRY_MS[this.failures]);
        this.failures += 1;
    }

    take(data) {
        if (this.state !== "running") return;
        this.failures = 0;
        this.bytes += data.byteLength;
        this.loose.push(data);
        this.looseBytes += data.byteLength;
        if (this.looseBytes >= GATHER_BYTES) this.gather();
        this.onChange();
    }

    gather() {
        this.parts.push(new Blob(this.loose));
        this.loose = [];
        this.looseBytes = 0;
    }

    save() {
        this.gather();
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(this.parts, { type: "video/mp4" }));
        link.download = this.file.name.replaceAll("/", "-");
        link.click();
        // The browser has begun by then.
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
        this.parts = [];
        this.become("complete");
    }

    become(state, reason = "") {
        this.state = state;
        this.reason = reason;
        this.onChange();
    }
}
