// The timeline under the wall: a calendar with the days that have footage, a bar for each channel, and what is chosen
// on them. Playing itself is done by the tiles.

const REFRESH_MS = 30_000;
/// How many times wider than the window the day may be.
const ZOOMS = [1, 4, 24];

const element = (id) => document.getElementById(id);
const two = (number) => String(number).padStart(2, "0");
const clock = (seconds) => {
    const time = new Date(seconds * 1000);
    return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
};
const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/// Asks the device; throws where it does not answer or says no.
export async function command(parameters, visitor = 0) {
    const query = new URLSearchParams({ action: "inner_define", ...parameters });
    const response = await fetch(`command?${query}`, { cache: "no-store", headers: { "X-Visitor": visitor } });
    if (!response.ok) throw new Error(`the device answered with status ${response.status}`);
    const reply = await response.json();
    if (reply.status !== undefined && reply.status !== "0") throw new Error(`the device answered ${reply.status}`);
    return reply;
}

/// A number of its own for whoever plays: the device keeps one playback for each visitor and channel.
export const newVisitor = () => 1 + Math.floor(Math.random() * 0xffff_fffe);

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
    /// `onPlay(channel, seconds, end)` is called for a moment that was chosen, in seconds since 1970.
    constructor({ onPlay, onResize }) {
        this.onPlay = onPlay;
        this.onResize = onResize;
        this.root = element("timeline");
        this.lanes = this.root.querySelector(".lanes");
        this.hours = this.root.querySelector(".hours");
        this.label = this.root.querySelector(".moment");
        this.save = this.root.querySelector(".save");
        this.day = new Date();
        this.zoom = 0;
        this.rows = [];
        this.calendar = new Calendar(this.root.querySelector(".calendar"), (day) => this.choose(day));
        this.toggle = element("recordings");
        this.toggle.addEventListener("click", () => this.open(this.root.hidden));
        this.dayButton = this.root.querySelector(".day");
        this.dayButton.addEventListener("click", () => this.showCalendar(this.calendar.root.hidden));
        this.root.querySelector(".before").addEventListener("click", () => this.step(-1));
        this.root.querySelector(".after").addEventListener("click", () => this.step(1));
        this.root.querySelector(".closer").addEventListener("click", () => this.setZoom(this.zoom + 1));
        this.root.querySelector(".wider").addEventListener("click", () => this.setZoom(this.zoom - 1));
        addEventListener("keydown", ({ key }) => key === "Escape" && this.showCalendar(false));
    }

    get start() { return new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate()).getTime() / 1000; }
    /// The first second of the next day; days of 23 and 25 hours are drawn as what they are.
    get end() { return new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate() + 1).getTime() / 1000; }

    /// Where the device records nothing, ever, there is nothing to show.
    async load(channels) {
        this.channels = channels;
        try {
            await command({ channel: channels[0].channel, cmd: "get_month_record", time: "200001" });
            this.toggle.hidden = false;
        } catch {
            this.toggle.hidden = true;
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
        this.calendar.root.hidden = !isShown;
        this.dayButton.setAttribute("aria-expanded", String(isShown));
        if (isShown) this.calendar.show(this.channels, this.day);
    }

    step(days) {
        this.choose(new Date(this.day.getFullYear(), this.day.getMonth(), this.day.getDate() + days));
    }

    choose(day) {
        this.day = day;
        this.showCalendar(false);
        this.dayButton.textContent = day.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
        this.drawHours();
        for (const row of this.rows) row.bars.replaceChildren();
        this.refresh();
    }

    setZoom(zoom) {
        this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, zoom));
        const { lanes } = this;
        const centre = (lanes.scrollLeft + lanes.clientWidth / 2) / lanes.scrollWidth;
        lanes.style.setProperty("--zoom", ZOOMS[this.zoom]);
        this.drawHours();
        const moment = this.chosen && (this.chosen.seconds - this.start) / (this.end - this.start);
        lanes.scrollLeft = (moment > 0 && moment < 1 ? moment : centre) * lanes.scrollWidth - lanes.clientWidth / 2;
    }

    drawHours() {
        const step = [4, 1, 0.25][this.zoom] * 3600;
        const { start, end } = this;
        const marks = [];
        for (let time = start; time < end; time += step) {
            const mark = document.createElement("span");
            mark.textContent = clock(time).slice(0, 5);
            mark.style.left = `${(100 * (time - start)) / (end - start)}%`;
            marks.push(mark);
        }
        this.hours.replaceChildren(...marks);
    }

    build() {
        this.rows = this.channels.map((channel) => {
            const root = element("lane").content.firstElementChild.cloneNode(true);
            const [name, track] = [root.querySelector(".lane-name"), root.querySelector(".track")];
            name.textContent = channel.name;
            track.setAttribute("aria-label", `Recordings of ${channel.name}`);
            const row = { channel, root, track, bars: root.querySelector(".bars"), head: root.querySelector(".head"), files: [] };
            track.addEventListener("pointermove", (event) => this.point(row, event));
            track.addEventListener("pointerleave", () => this.showMoment());
            track.addEventListener("pointerdown", (event) => {
                // A finger may want to move the bars; a click tells when it did not.
                if (event.pointerType === "mouse") track.setPointerCapture(event.pointerId);
            });
            track.addEventListener("click", (event) => this.play(row, this.seconds(row, event)));
            track.addEventListener("keydown", (event) => this.press(row, event));
            return row;
        });
        this.lanes.querySelectorAll(".lane").forEach((lane) => lane.remove());
        this.lanes.append(...this.rows.map(({ root }) => root));
    }

    async refresh() {
        const { start, end } = this;
        await Promise.all(this.rows.map(async (row) => {
            let files = [];
            try {
                const reply = await command({
                    channel: row.channel.channel, cmd: "get_file_list", start_time: start, end_time: end - 1, file_type: 0,
                });
                files = reply.file_list.map((file) => (
                    { name: file.file_name, bytes: Number(file.file_size), start: Number(file.start_time), end: Number(file.end_time) }));
            } catch {
                return;
            }
            if (start !== this.start) return;
            row.files = files;
            this.draw(row);
        }));
        this.showSave();
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
            bar.style.left = `${(100 * (left - start)) / (end - start)}%`;
            bar.style.width = `${(100 * (Math.min(span.end, end) - left)) / (end - start)}%`;
            return bar;
        }));
        row.track.tabIndex = spans.length ? 0 : -1;
    }

    seconds(row, event) {
        const box = row.track.getBoundingClientRect();
        const part = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
        return this.start + part * (this.end - this.start);
    }

    point(row, event) {
        const seconds = this.seconds(row, event);
        this.showMoment(`${row.channel.name} · ${clock(seconds)}`);
        // With the button held down the picture follows.
        if (event.pointerType === "mouse" && event.buttons === 1) {
            clearTimeout(this.scrubTimer);
            this.scrubTimer = setTimeout(() => this.play(row, seconds), 120);
        }
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

    showMoment(text = "") {
        const { chosen } = this;
        this.label.textContent = text || (chosen ? `${chosen.row.channel.name} · ${clock(chosen.seconds)}` : "Choose a moment on a bar");
    }

    play(row, seconds) {
        clearTimeout(this.scrubTimer);
        const next = row.files.find((file) => file.end > seconds);
        if (!next) return;
        const moment = Math.floor(Math.max(seconds, next.start));
        this.mark(row.channel.channel, moment);
        this.onPlay(row.channel, moment, this.end - 1);
    }

    /// Where a channel's playback is; null where it has none any more.
    mark(channel, seconds) {
        const row = this.rows.find((one) => one.channel.channel === channel);
        if (!row) return;
        const isInside = seconds !== null && seconds >= this.start && seconds < this.end;
        row.head.hidden = !isInside;
        if (isInside) row.head.style.left = `${(100 * (seconds - this.start)) / (this.end - this.start)}%`;
        if (seconds !== null) this.chosen = { row, seconds };
        else if (this.chosen?.row === row) this.chosen = null;
        row.track.setAttribute("aria-valuetext", seconds === null ? "not playing" : clock(seconds));
        this.showMoment();
        this.showSave();
    }

    /// The file that is being played can be saved.
    showSave() {
        const { chosen } = this;
        const file = chosen?.row.files.find(({ start, end }) => start <= chosen.seconds && chosen.seconds < Math.max(end, start + 1));
        this.save.hidden = !file;
        if (!file) return;
        const query = new URLSearchParams({
            action: "download", channel: chosen.row.channel.channel, file_name: file.name, offset: 0,
            _visitor: this.visitor ??= newVisitor(),
        });
        const address = `ipc.flv?${query}`;
        if (this.save.getAttribute("href") !== address) this.save.href = address;
        this.save.textContent = `Save ${clock(file.start).slice(0, 5)} to ${clock(file.end).slice(0, 5)}, ${size(file.bytes)}`;
    }
}
