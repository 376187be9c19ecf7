// The pad for a head that turns: pressed with mouse, finger or keyboard, it moves for as long as it is held.

import { device, newVisitor } from "./transport.js";

/// A head stops by itself after some seconds without word; while it is held, it is told again this often.
const RENEW_MS = 400;
const PRESETS = 16;
const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", "+": "zoom_in", "-": "zoom_out" };

/// All pads of the page are one viewer, to whom the device listens as long as its connection is open.
const who = { visitor: newVisitor(), lane: 0 };

export class PTZPad {
    constructor(tile, { onFailure }) {
        this.channel = tile.channel.channel;
        this.onFailure = onFailure;
        this.root = tile.root.querySelector(".pad");
        this.button = tile.root.querySelector(".aim");
        this.select = this.root.querySelector(".presets");
        /// The way that is pressed, or null, and whether by the keyboard.
        this.way = null;
        this.byKey = false;
        /// Commands go one after the other: a release never overtakes its press.
        this.last = Promise.resolve();
        this.number = 0;
        this.button.hidden = false;
        this.root.setAttribute("aria-label", `Turn the camera: ${tile.channel.name}`);
        for (const button of this.root.querySelectorAll("[data-way^=zoom]")) button.hidden = !tile.channel.ptz.zoom;
        this.button.addEventListener("click", () => this.show(this.root.hidden));
        this.listen();
    }

    listen() {
        const { root } = this;
        root.addEventListener("pointerdown", (event) => {
            const button = event.target.closest("[data-way]");
            if (!button || event.button !== 0) return;
            button.setPointerCapture(event.pointerId);
            this.byKey = false;
            this.press(button.dataset.way);
        });
        for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
            root.addEventListener(name, () => this.release());
        }
        root.addEventListener("contextmenu", (event) => event.preventDefault());
        root.addEventListener("keydown", (event) => {
            const onButton = ["Enter", " "].includes(event.key) ? event.target.closest("[data-way]")?.dataset.way : null;
            const way = onButton ?? (event.target === this.select ? null : KEYS[event.key]);
            if (way) {
                event.preventDefault();
                if (event.repeat) return;
                this.byKey = true;
                this.press(way);
            } else if (event.key === "Escape") {
                this.show(false);
                this.button.focus();
            }
        });
        root.addEventListener("keyup", () => this.byKey && this.release());
        root.addEventListener("focusout", (event) => {
            if (this.byKey && !root.contains(event.relatedTarget)) this.release();
        });
        addEventListener("blur", () => this.release());
        addEventListener("pagehide", () => this.release());
        document.addEventListener("visibilitychange", () => this.release());
        root.querySelector(".home").addEventListener("click", () => this.order("home"));
        this.select.addEventListener("change", () => this.choose(this.select.value));
    }

    async show(isShown) {
        if (!isShown) this.release();
        this.root.hidden = !isShown;
        this.button.setAttribute("aria-pressed", String(isShown));
        if (!isShown) return this.link?.close();
        // Its end tells the device at once that nobody holds the head any more.
        this.link = device.listen(who);
        this.root.querySelector("[data-way]").focus({ preventScroll: true });
        this.showPresets(await this.order("status"));
    }

    // MARK: Holding

    press(way) {
        if (this.way === way) return;
        this.way = way;
        this.mark();
        this.order(`${way}_press`);
        clearInterval(this.timer);
        this.timer = setInterval(() => this.order(`${way}_press`), RENEW_MS);
    }

    release() {
        if (this.way === null) return;
        this.way = null;
        clearInterval(this.timer);
        this.mark();
        this.order("release_pre");
    }

    mark() {
        for (const button of this.root.querySelectorAll("[data-way]")) {
            button.toggleAttribute("data-held", button.dataset.way === this.way);
        }
    }

    // MARK: Presets

    showPresets(reply) {
        const known = new Set(reply?.presets ?? []);
        const options = [new Option("Presets", "")];
        for (const number of [...known].sort((a, b) => a - b)) options.push(new Option(`Go to ${number}`, `call ${number}`));
        for (let number = 1; number <= PRESETS; number++) {
            if (!known.has(number)) {
                options.push(new Option(`Keep this place as ${number}`, `set ${number}`));
                break;
            }
        }
        for (const number of known) options.push(new Option(`Forget ${number}`, `clear ${number}`));
        this.select.replaceChildren(...options);
    }

    async choose(value) {
        this.select.value = "";
        const [what, number] = value.split(" ");
        if (what) this.showPresets(await this.order(`preset_${what}`, { preset: Number(number) }));
    }

    // MARK: Commands

    /// What the device answered; null where it did not, or said no.
    order(cmd, more = {}) {
        const message = { topic: "ptz", data: { cmd: `ptz_${cmd}`, ...more }, message_id: ++this.number };
        const isPress = cmd.endsWith("_press");
        this.last = this.last.then(async () => {
            // Let go before its turn came.
            if (isPress && this.way === null) return null;
            try {
                const reply = await device.command(
                    `action=user_define&channel=${this.channel}&cmd=${JSON.stringify(message)}`, who);
                this.root.toggleAttribute("data-end", reply.apex === "yes");
                if (reply.result === "0") return reply;
                this.onFailure("The head does not do that now");
            } catch {
                this.onFailure("The device does not answer");
            }
            return null;
        });
        return this.last;
    }
}
