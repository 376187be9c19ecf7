import NIOCore

/// The page and its scripts, which are part of the program.
package struct PageAssets: Sendable {
    struct Asset: Sendable {
        let type: String
        let body: ByteBuffer
        /// Changes with the content.
        let tag: String

        init(_ bytes: [UInt8], type: String) {
            self.type = type
            body = ByteBuffer(bytes: bytes)
            // FNV-1a, 64 bits.
            let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            tag = "\"\(String(hash, radix: 16))\""
        }

        /// Browsers ask each time, and get the content only when it changed with a new version.
        func answer(to request: HTTPRequest) -> HTTPAnswer {
            let headers = [
                (name: "Content-Type", value: type), ("Cache-Control", "no-cache"), ("ETag", tag),
                ("Content-Security-Policy", PageAssets.contentPolicy),
            ]
            let known = request.head.headers[canonicalForm: "If-None-Match"]
            if known.contains(where: { $0 == tag || $0 == "W/\(tag)" }) {
                return HTTPAnswer(status: 304, headers: headers)
            }
            return HTTPAnswer(status: 200, headers: headers, body: body)
        }
    }

    /// Nothing is loaded from outside the device, nothing inline is run, and no other page shows it in a frame; pictures and sound come from the player's own buffers.
    static let contentPolicy =
        "default-src 'self'; connect-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; "
        + "style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private let assets: [Substring: Asset]

    package init() {
        let index = Asset(PackageResources.index_html, type: "text/html; charset=utf-8")
        assets = [
            "/": index, "/index.html": index,
            "/page.css": Asset(PackageResources.page_css, type: "text/css; charset=utf-8"),
            "/page.js": Asset(PackageResources.page_js, type: "text/javascript; charset=utf-8"),
            "/access.js": Asset(PackageResources.access_js, type: "text/javascript; charset=utf-8"),
            "/ptz.js": Asset(PackageResources.ptz_js, type: "text/javascript; charset=utf-8"),
            "/recordings.js": Asset(PackageResources.recordings_js, type: "text/javascript; charset=utf-8"),
            "/talk.js": Asset(PackageResources.talk_js, type: "text/javascript; charset=utf-8"),
            "/talk-worklet.js": Asset(PackageResources.talk_worklet_js, type: "text/javascript; charset=utf-8"),
            "/player.js": Asset(PackageResources.player_js, type: "text/javascript; charset=utf-8"),
            "/transport.js": Asset(PackageResources.transport_js, type: "text/javascript; charset=utf-8"),
            "/download.js": Asset(PackageResources.download_js, type: "text/javascript; charset=utf-8"),
            "/way.js": Asset(PackageResources.way_js, type: "text/javascript; charset=utf-8"),
            "/edge-agent-viewer.js": Asset(
                PackageResources.edge_agent_viewer_js, type: "text/javascript; charset=utf-8"),
            "/edge-agent-viewer.d.ts": Asset(
                PackageResources.edge_agent_viewer_d_ts, type: "text/plain; charset=utf-8"),
        ]
    }

    subscript(path: Substring) -> Asset? { assets[path] }
}
