// Letting this page in: the token that somebody typed, and short-lived tickets made with it for what cannot send a field.
//
// The token lies in the tab's own storage and goes along where this page says so; the browser sends it nowhere by itself.

const STORAGE_KEY = "edge-agent.token";
/// A ticket holds for so many seconds, and is renewed long before it ends.
const TICKET_SECONDS = 300;
const RENEW_MS = 100_000;
/// A ticket that ends sooner than this is renewed before anything else is asked for with it.
const MARGIN_MS = 20_000;

/// The tab forgets it when it is closed. Without storage it is asked for again after each reload.
const memory = {
    load() {
        try {
            return sessionStorage.getItem(STORAGE_KEY);
        } catch {
            return null;
        }
    },
    save(token) {
        try {
            if (token) sessionStorage.setItem(STORAGE_KEY, token);
            else sessionStorage.removeItem(STORAGE_KEY);
        } catch {
            // Then it is not remembered.
        }
    },
};

export class Access {
    constructor() {
        this.token = null;
        this.ticket = null;
        this.endsAt = 0;
    }

    /// Header fields for requests.
    get headers() {
        return this.token ? { Authorization: `Bearer ${this.token}` } : {};
    }

    fetch(path, options = {}) {
        return fetch(path, { cache: "no-store", ...options, headers: { ...options.headers, ...this.headers } });
    }

    /// The same address, with a ticket where the device wants one. Renews it behind the caller's back when it ends soon.
    address(address) {
        const url = new URL(address, location.href);
        if (!this.token) return url;
        if (this.endsAt - Date.now() < MARGIN_MS) this.renew().catch(() => {});
        if (this.ticket) url.searchParams.set("ticket", this.ticket);
        return url;
    }

    webSocket(address) {
        const url = this.address(address);
        url.protocol = url.protocol.replace(/^http/, "ws");
        return new WebSocket(url);
    }

    /// Whether the device lets this page in with what it knows: nothing, what the tab remembers, or what stands behind the
    /// `#` of the page's address, which no server is ever told. Throws where the device does not answer.
    async enter() {
        this.token = this.takeFromAddress() ?? memory.load();
        if (this.token) return this.renew();
        const response = await this.fetch("channels.json");
        return response.status !== 401;
    }

    takeFromAddress() {
        const token = new URLSearchParams(location.hash.slice(1)).get("token");
        if (token) {
            history.replaceState(null, "", location.pathname + location.search);
            memory.save(token);
        }
        return token;
    }

    /// Tries a token that somebody typed. Throws with the device's own words where it is not good.
    async signIn(token) {
        this.token = token.trim();
        if (!await this.renew()) throw new Error(this.refusal);
        memory.save(this.token);
    }

    /// A new ticket; false where the device takes the token no more.
    async renew() {
        const response = await this.fetch("ticket", {
            method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ seconds: TICKET_SECONDS }),
        });
        if (response.status === 201) {
            const { ticket, expires } = await response.json();
            this.ticket = ticket;
            this.endsAt = Math.min(expires * 1000, Date.now() + TICKET_SECONDS * 1000);
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.renew().catch(() => {}), RENEW_MS);
            return true;
        }
        this.refusal = (await response.json().catch(() => null))?.error?.message ?? `the device answered ${response.status}`;
        if (response.status === 401) {
            this.token = this.ticket = null;
            memory.save(null);
        }
        return false;
    }
}

/// The page's own.
export const access = new Access();
