// Viewers in a browser, with the device's own library. Evaluated once in the device's page, it leaves `links` behind.
() => {
    const links = globalThis.links = {};
    const library = import("/edge-agent-viewer.js");

    // An offer goes to the device without addresses and its answer comes back with others, so that both ends meet on the
    // way between them. `ports` is by how much those of the way are higher; 0 for none.
    const exchange = async (offer, ports) => {
        const drop = (text, unwanted) => text.split("\r\n").filter((line) => !unwanted(line)).join("\r\n");
        const isCandidate = (line) => line.startsWith("a=candidate:");
        const response = await fetch("/p2p", {
            method: "POST", headers: { "Content-Type": "application/sdp" },
            body: ports ? drop(offer, isCandidate) : offer,
        });
        const answer = await response.text();
        if (response.status !== 201) throw new Error(`the device answered ${response.status}: ${answer}`);
        if (!ports) return answer;
        return drop(answer, (line) => isCandidate(line) && !/ udp /i.test(line))
            .replace(/(a=candidate:\S+ \d udp \d+ \S+ )(\d+)/gi, (_, before, port) => before + (Number(port) + ports));
    };

    // Resolves with the first bytes. `keep`: what comes is kept, with its time.
    links.open = async (id, { ports = 0, keep = false } = {}) => {
        const { viewer } = await library;
        await viewer.init();
        const link = links[id] = { bytes: 0, pieces: [], offered: 0 };
        await viewer.startP2PService(id, {
            reconnect: false,
            exchange: (offer) => {
                link.offered = performance.now();
                return exchange(offer, ports);
            },
        });
        await new Promise((resolve, reject) => viewer.startStream(id, {
            flv: { filename: "ipc.flv", params: "action=live&channel=0&quality=high" },
            dataCallback: (data) => {
                link.bytes += data.byteLength;
                if (keep) link.pieces.push([performance.now(), data]);
                resolve();
            },
        }).catch(reject));
    };

    links.close = async (id) => {
        const { viewer } = await library;
        viewer.stopP2PService(id);
        delete links[id];
    };

    links.bytes = (ids) => ids.map((id) => links[id].bytes);

    // What came since the last time: when the offer left, and times and bytes of the pieces, as base 64.
    links.take = async (id) => {
        const { offered, pieces } = links[id];
        links[id].pieces = [];
        const url = await new Promise((resolve) => {
            const reader = new FileReader();
            reader.onload = () => resolve(reader.result);
            reader.readAsDataURL(new Blob(pieces.map(([, data]) => data)));
        });
        return { offered, times: pieces.map(([time]) => time), lengths: pieces.map(([, data]) => data.byteLength),
            data: url.slice(url.indexOf(",") + 1) };
    };
}
