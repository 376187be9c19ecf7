// The timeline under the wall: a calendar with the days that have footage, a bar for each channel, and what is chosen
// on them. Playing itself is done by the tiles.

import { access } from "./access.js";
import { Download } from "./download.js";
import { device, newVisitor } from "./transport.js";

const REFRESH_MS = 15_000;
/// How many times wider than the window the day may be.
const ZOOMS = [1, 2, 4, 8, 24, 72, 144];
/// Minutes between two marks, of which the first that leaves them room is taken.
const MARKS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360];
const MARK_WIDTH = 58;
const SCRUB_MS = 120;
const HINT = "Choose a moment on a bar";

const element = (id) => document.getElementById(id);
const two = (number) => String(number).padStart(2, "0");
export const clock = (seconds) => {
    const time = new Date(seconds * 1000);
    return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
};
const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/// A command that the device answered with something else than "0".
export class CommandRefused extends Error {
    constructor(status) {
        super(`the device answered ${status}`);
        this.status = status;
    }
}

/// Asks the device; throws where it does not answer or says no. `who` as in transport.js.
export async function command(parameters, who) {
    const reply = await device.command(new URLSearchParams({ action: "inner_define", ...parameters }).toString(), who);
    if (reply.status !== undefined && reply.status !== "0") throw new CommandRefused(reply.status);
    return reply;
}

// MARK: Calendar

/// One month, the days with footage to be chosen.
class Calendar {
    constructor(root, onChoose) {
        this.root = root;
        this.onChoose = onChoose;
        this.title = root.querySelector(".month");
        this.days = root.querySelector(".days");
        root.querySelector(".earlier").addEventListener("click", () => this.turn(-1));
        root.querySelector(".later").addEventListener("click", () => this.turn(1));
        const names = root.querySelector(".weekdays");
        // The first of January 2024 was a Monday.
        for (let day = 1; day <= 7; day++) {
            const name = document.createElement("span");
            name.textContent = new Date(2024, 0, day).toLocaleDateString(undefined, { weekday: "narrow" });
            names.append(name);
        }
    }

    show(channels, chosen) {
        this.channels = channels;
        this.chosen = chosen;
        this.month = new Date(chosen.getFullYear(), chosen.getMonth(), 1);
        this.fill();
    }

    turn(months) {
        this.month = new Date(this.month.getFullYear(), this.month.getMonth() + months, 1);
        this.fill();
    }

    async fill() {
        const { month } = this;
        const [year, number] = [month.getFullYear(), month.getMonth()];
        this.title.textContent = month.toLocaleDateString(undefined, { month: "long", year: "numeric" });
        const buttons = Array.from({ length: new Date(year, number + 1, 0).getDate() }, (_, index) => {
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = index + 1;
            button.disabled = true;
            const day = new Date(year, number, index + 1);
            button.setAttribute("aria-label", day.toLocaleDateString(undefined, { dateStyle: "full" }));
            button.setAttribute("aria-pressed", String(day.toDateString() === this.chosen.toDateString()));
            if (day.toDateString() === new Date().toDateString()) button.setAttribute("aria-current", "date");
            button.addEventListener("click", () => this.onChoose(day));
            return button;
        });
        if (buttons.length) buttons[0].style.gridColumnStart = ((month.getDay() + 6) % 7) + 1;
        this.days.replaceChildren(...buttons);
        const time = `${year}${two(number + 1)}`;
        const masks = await Promise.all(this.channels.map(async ({ channel }) => {
            try {
                return Number((await command({ channel, cmd: "get_month_record", time })).video_list);
            } catch {
                return 0;
            }
        }));
        if (this.month !== month) return;
        const mask = masks.reduce((all, one) => all | one, 0);
        buttons.forEach((button, index) => { button.disabled = !((mask >>> index) & 1); });
    }
}

// MARK: Timeline

export class Timeline {
    /// `onPlay(channel, seconds, start, end)` is called for a moment that was chosen on a day, in seconds since 1970.
    constructor({ onPlay, onResize }) {
        this.onPlay = onPlay;
        this.onResize = onResize;
        this.root = element("timeline");
        const part = (name) => this.root.querySelector(name);
        this.lanes = part(".lanes");
        this.sheet = part(".sheet");
        this.hours = part(".hours");
        this.pointer = part(".pointer");
        this.now = part(".now");
        this.whose = part(".whose");
        this.when = part(".when");
        this.save = part(".save");
        // The ticket in it may have ended since.
        this.save.addEventListener("click", () => { this.save.href = access.address(this.address).href; });
        this.closer = part(".closer");
        this.wider = part(".wider");
        this.dayButton = part(".day");
        this.toggle = element("recordings");
        this.day = new Date();
        this.zoom = 0;
        this.rows = [];
        /// The moment that is played or was pointed at last: `{ row, seconds }`.
        this.chosen = null;
        /// A file that is being fetched over a link; else the browser fetches it by itself.
        this.download = null;
        this.save.addEventListener("click", (event) => this.saveOverLink(event));
        this.calendar = new Calendar(part(".calendar"), (day) => this.choose(day));
        this.toggle.addEventListener("click", () => this.open(this.root.hidden));
        this.dayButton.addEventListener("click", () => this.showCalendar(this.calendar.root.hidden));
        part(".before").addEventListener("click", () => this.step(-1));
        part(".after").addEventListener("click", () => this.step(1));
        this.closer.addEventListener("click", () => this.setZoom(this.zoom + 1));
        this.wider.addEventListener("click", () => this.setZoom(this.zoom - 1));
        this.lanes.addEventListener("wheel", (event) => this.turnWheel(event), { passive: false });
        this.lanes.addEventListener("pointermove", (event) => this.point(event));
        this.lanes.addEventListener("pointerleave", () => { this.pointer.hidden = true; });
        addEventListener("keydown", ({ key }) => key === "Escape" && this.showCalendar(false));
        addEventListener("pointerdown", ({ target }) => {
            if (!this.calendar.root.contains(target) && !this.dayButton.contains(target)) this.showCalendar(false);
        });
        new ResizeObserver(() => this.root.hidden || this.drawHours()).observe(this.lanes);
    }

    get start() { return new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate()).getTime() / 1000; }
    /// The first second of the next day; days of 23 and 25 hours are drawn as what they are.
    get end() { return new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate() + 1).getTime() / 1000; }
    share(seconds) { return (seconds - this.start) / (this.end - this.start); }

    /// Where the device records nothing, and never did, there is nothing to show.
    async load(channels) {
        this.channels = channels;
        try {
            await command({ channel: channels[0].channel, cmd: "get_month_record", time: "200001" });
            this.toggle.hidden = false;
        } catch (error) {
            this.toggle.hidden = !(error instanceof CommandRefused) || error.status === "406";
        }
    }

    open(isOpen) {
        this.root.hidden = !isOpen;
        this.toggle.setAttribute("aria-pressed", String(isOpen));
        clearInterval(this.refresher);
        if (isOpen) {
            this.build();
            this.choose(this.day);
            this.refresher = setInterval(() => document.hidden || this.refresh(), REFRESH_MS);
        }
        this.onResize();
    }

    showCalendar(isShown) {
        if (this.calendar.root.hidden === !isShown) return;
        this.calendar.root.hidden = !isShown;
        this.dayButton.setAttribute("aria-expanded", String(isShown));
        if (isShown) this.calendar.show(this.channels, this.day);
    }

    // The day.

    step(days) {
        this.choose(new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate() + days));
    }

    async choose(day) {
        this.day = day;
        this.showCalendar(false);
        this.dayButton.textContent = day.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
        for (const row of this.rows) {
            row.files = [];
            this.draw(row);
        }
        this.setZoom(0);
        this.showChosen();
        await this.refresh();
        if (this.day === day) this.fit();
    }

    async refresh() {
        const { start, end } = this;
        const answers = await Promise.all(this.rows.map(async (row) => {
            try {
                const reply = await command({
                    channel: row.channel.channel, cmd: "get_file_list", start_time: start, end_time: end - 1, file_type: 0,
                });
                const files = reply.file_list.map((file) => (
                    { name: file.file_name, bytes: Number(file.file_size), start: Number(file.start_time), end: Number(file.end_time) }));
                if (start !== this.start) return "";
                row.files = files;
                this.draw(row);
                return "";
            } catch (error) {
                return error instanceof CommandRefused ? "The recording disk is away" : "The device does not answer";
            }
        }));
        if (start !== this.start) return;
        this.trouble = answers.find((answer) => answer) ?? "";
        this.drawNow();
        this.showChosen();
    }

    // The view.

    setZoom(zoom, at = null) {
        this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, zoom));
        this.wider.disabled = this.zoom === 0;
        this.closer.disabled = this.zoom === ZOOMS.length - 1;
        const { lanes } = this;
        // What is pointed at stays where it is; else what is played or what is in the middle goes there.
        const offset = at === null ? this.visibleWidth / 2 : at - this.hours.getBoundingClientRect().left - lanes.scrollLeft;
        const playing = at === null && this.chosen ? this.share(this.chosen.seconds) : -1;
        const share = playing >= 0 && playing < 1 ? playing : (lanes.scrollLeft + offset) / this.hours.offsetWidth;
        lanes.style.setProperty("--zoom", ZOOMS[this.zoom]);
        lanes.scrollLeft = share * this.hours.offsetWidth - offset;
        this.drawHours();
    }

    get visibleWidth() { return this.lanes.clientWidth - this.hours.offsetLeft; }

    /// As close as shows everything that the day has.
    fit() {
        const files = this.rows.flatMap((row) => row.files);
        if (!files.length) return;
        const first = Math.max(Math.min(...files.map((file) => file.start)), this.start);
        const last = Math.min(Math.max(...files.map((file) => file.end)), this.end);
        const most = (0.9 * (this.end - this.start)) / Math.max(last - first, 1);
        const zoom = ZOOMS.findLastIndex((zoom) => zoom <= most);
        if (zoom <= 0) return;
        this.setZoom(zoom);
        this.lanes.scrollLeft = this.share((first + last) / 2) * this.hours.offsetWidth - this.visibleWidth / 2;
    }

    turnWheel(event) {
        // Sideways, and up and down where there are more lanes than fit, it scrolls.
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) return;
        if (!event.ctrlKey && this.lanes.scrollHeight > this.lanes.clientHeight) return;
        event.preventDefault();
        this.wheel = (this.wheel ?? 0) + event.deltaY;
        if (Math.abs(this.wheel) < 60) return;
        this.setZoom(this.zoom - Math.sign(this.wheel), event.clientX);
        this.wheel = 0;
    }

    drawHours() {
        const { start, end } = this;
        const width = this.hours.offsetWidth;
        if (!width) return;
        const step = 60 * (MARKS.find((minutes) => (60 * minutes * width) / (end - start) >= MARK_WIDTH) ?? MARKS.at(-1));
        const marks = [];
        for (let time = start; time < end; time += step) {
            const mark = document.createElement("span");
            mark.textContent = clock(time).slice(0, 5);
            mark.style.left = `${100 * this.share(time)}%`;
            marks.push(mark);
        }
        this.hours.replaceChildren(...marks);
        this.drawNow();
    }

    place(node, seconds) {
        node.style.left = `${this.hours.offsetLeft + this.share(seconds) * this.hours.offsetWidth}px`;
    }

    drawNow() {
        const now = Date.now() / 1000;
        this.now.hidden = now < this.start || now >= this.end;
        if (!this.now.hidden) this.place(this.now, now);
    }

    build() {
        this.rows = this.channels.map((channel) => {
            const root = element("lane").content.firstElementChild.cloneNode(true);
            const [name, track, head] = [".lane-name", ".track", ".head"].map((part) => root.querySelector(part));
            name.textContent = name.title = channel.name;
            track.setAttribute("aria-label", `Recordings of ${channel.name}`);
            const row = { channel, root, track, head, bars: root.querySelector(".bars"), files: [] };
            track.addEventListener("click", (event) => this.play(row, this.seconds(event)));
            track.addEventListener("pointerdown", (event) => this.grasp(row, event));
            track.addEventListener("pointermove", (event) => this.scrub(row, event));
            track.addEventListener("keydown", (event) => this.press(row, event));
            return row;
        });
        this.sheet.querySelectorAll(".lane").forEach((lane) => lane.remove());
        this.sheet.append(...this.rows.map(({ root }) => root));
    }

    /// Files that adjoin are one bar.
    draw(row) {
        const { start, end } = this;
        const spans = [];
        for (const file of row.files) {
            const last = spans.at(-1);
            if (last && file.start - last.end <= 1) last.end = file.end;
            else spans.push({ start: file.start, end: file.end });
        }
        row.bars.replaceChildren(...spans.map((span) => {
            const bar = document.createElement("span");
            const left = Math.max(span.start, start);
            bar.style.left = `${100 * this.share(left)}%`;
            bar.style.width = `${(100 * (Math.min(span.end, end) - left)) / (end - start)}%`;
            return bar;
        }));
        row.track.tabIndex = spans.length ? 0 : -1;
    }

    // Choosing a moment.

    seconds(event) {
        const box = this.hours.getBoundingClientRect();
        const part = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
        return this.start + part * (this.end - this.start);
    }

    point(event) {
        const isInside = event.pointerType !== "touch" && event.clientX >= this.hours.getBoundingClientRect().left;
        this.pointer.hidden = !isInside;
        if (!isInside) return;
        const seconds = this.seconds(event);
        this.place(this.pointer, seconds);
        this.pointer.firstElementChild.textContent = clock(seconds);
    }

    /// A mouse scrubs anywhere on a bar; a finger moves the bars, unless it takes the playing position.
    grasp(row, event) {
        if (event.pointerType === "mouse" ? event.button === 0 : event.target === row.head) {
            row.track.setPointerCapture(event.pointerId);
        }
    }

    /// The picture follows, as often as is good for the device.
    scrub(row, event) {
        if (!row.track.hasPointerCapture(event.pointerId)) return;
        const seconds = this.seconds(event);
        clearTimeout(this.scrubTimer);
        this.scrubTimer = setTimeout(() => this.play(row, seconds), SCRUB_MS);
    }

    press(row, event) {
        const steps = { ArrowLeft: -10, ArrowRight: 10, PageDown: -300, PageUp: 300 };
        const at = this.chosen?.row === row ? this.chosen.seconds : row.files[0]?.start;
        if (at === undefined) return;
        if (steps[event.key]) this.play(row, at + steps[event.key]);
        else if (event.key === "Enter") this.play(row, at);
        else return;
        event.preventDefault();
    }

    play(row, seconds) {
        clearTimeout(this.scrubTimer);
        const next = row.files.find((file) => file.end > seconds);
        if (!next) return;
        const moment = Math.floor(Math.max(seconds, next.start));
        this.mark(row.channel.channel, moment);
        this.onPlay(row.channel, moment, this.start, this.end - 1);
    }

    // What is chosen.

    /// Where a channel's playback is; null where it has none any more.
    mark(channel, seconds) {
        const row = this.rows.find((one) => one.channel.channel === channel);
        if (!row) return;
        row.seconds = seconds;
        if (seconds !== null) this.chosen = { row, seconds };
        else if (this.chosen?.row === row) this.chosen = null;
        this.showChosen();
    }

    showChosen() {
        const { chosen } = this;
        for (const row of this.rows) {
            const { seconds = null } = row;
            row.head.hidden = seconds === null || seconds < this.start || seconds >= this.end;
            if (!row.head.hidden) row.head.style.left = `${100 * this.share(seconds)}%`;
            row.track.setAttribute("aria-valuenow", seconds === null ? 0 : Math.round(seconds - this.start));
            row.track.setAttribute("aria-valuetext", seconds === null ? "not playing" : clock(seconds));
            row.root.toggleAttribute("data-chosen", row === chosen?.row);
        }
        const hasFiles = this.rows.some((row) => row.files.length);
        this.whose.textContent = chosen && !this.trouble ? `${chosen.row.channel.name} · ` : "";
        this.when.textContent = this.trouble || (chosen ? clock(chosen.seconds) : hasFiles ? HINT : "Nothing was recorded on this day");
        this.showSave();
    }

    /// The file that is being played can be saved.
    showSave() {
        const { chosen } = this;
        const file = chosen?.row.files.find(({ start, end }) => start <= chosen.seconds && chosen.seconds < Math.max(end, start + 1));
        this.save.hidden = !file;
        if (!file) return;
        if (this.download?.file.name !== file.name) {
            this.download?.stop();
            this.download = null;
        }
        const query = new URLSearchParams({
            action: "download", channel: chosen.row.channel.channel, file_name: file.name, offset: 0,
            _visitor: this.visitor ??= newVisitor(),
        });
        this.address = `ipc.flv?${query}`;
        const { href } = access.address(this.address);
        if (this.save.href !== href) this.save.href = href;
        this.saved = { ...file, channel: chosen.row.channel.channel };
        this.save.querySelector(".what").textContent = this.download && this.download.state !== "complete"
            ? this.progress() : `${clock(file.start).slice(0, 5)} to ${clock(file.end).slice(0, 5)}, ${size(file.bytes)}`;
        this.save.title = this.download?.reason ?? "";
        this.save.setAttribute("aria-label", `Save the file from ${clock(file.start)} to ${clock(file.end)}, ${size(file.bytes)}`);
    }

    progress() {
        const { state, bytes, file } = this.download;
        const part = `${size(bytes)} of ${size(file.bytes)}`;
        return state === "running" ? `Stop: ${part}` : state === "stopped" ? `Go on: ${part}` : `Failed at ${part}`;
    }

    /// Over a link the file comes through the page: a click begins, stops, and goes on where it stopped.
    saveOverLink(event) {
        if (!device.isPeer) return;
        event.preventDefault();
        if (this.download?.state === "running") {
            this.download.stop();
            return;
        }
        if (!this.download || ["complete", "failed"].includes(this.download.state)) {
            this.download = new Download(this.saved, () => this.showSave());
        }
        this.download.start();
    }
}
