/// What RAUC 1.13 said, of slots A and B, in each state a device can be in.
enum RecordedRAUC {
    static let factory = status(booted: "A", primary: 0, a: slot(0, good: true, ""), b: slot(1, good: true, ""))
    static let installed = status(
        booted: "A", primary: 1, a: slot(0, good: true, ""), b: slot(1, good: true, written()))
    static let onTrial = status(
        booted: "B", primary: 0, a: slot(0, good: true, ""), b: slot(1, good: false, written()))
    static let confirmed = status(
        booted: "B", primary: 1, a: slot(0, good: true, ""), b: slot(1, good: true, written()))
    static let rolledBack = status(
        booted: "A", primary: 0, a: slot(0, good: true, ""), b: slot(1, good: false, written()))
    static let interrupted = status(
        booted: "A", primary: 0, a: slot(0, good: true, ""), b: slot(1, good: false, written(status: "pending")))
    /// Power was cut after the last byte, and before the boot loader was told.
    static let notActivated = status(
        booted: "A", primary: 0, a: slot(0, good: true, ""),
        b: slot(1, good: false, written(activated: "2026-10-01T08:00:00Z")))
    /// B runs since an earlier update; the later one in A was given up.
    static let rolledBackToB = status(
        booted: "B", primary: 1, a: slot(0, good: false, written(activated: "2026-12-01T08:00:00Z")),
        b: slot(1, good: true, written()))

    static let bundle = """
        {"compatible":"edge-agent-qemu-virt","version":"0.2.0","description":"EdgeAgent for qemu-virt",\
        "build":"20261121T120000","format":"verity","hooks":[],"hash":"9ec8a5be41a4b0a91ea64a8f4bb6103f",\
        "images":[{"system":{"artifact":null,"variant":null,"filename":"system.squashfs",\
        "checksum":"609b595504ee28e02ecc4f6ff4a91677","size":2097152,"hooks":[],"adaptive":[]}}]}
        """

    private static func status(booted: String, primary: Int, a: String, b: String) -> String {
        // The order of the slots is any.
        """
        {"compatible":"edge-agent-qemu-virt","variant":"","booted":"\(booted)","boot_primary":"system.\(primary)",\
        "slots":[\(b.replacingState(booted == "B")),\(a.replacingState(booted == "A"))],"artifact-repositories":[]}
        """
    }

    private static func slot(_ index: Int, good: Bool, _ content: String) -> String {
        let name = index == 0 ? "A" : "B"
        return """
            {"system.\(index)":{"class":"system","device":"/dev/disk/by-partlabel/system-\(name.lowercased())",\
            "type":"raw","bootname":"\(name)","state":"STATE","parent":null,"mountpoint":null,\
            "boot_status":"\(good ? "good" : "bad")",\
            "slot_status":{\(content.isEmpty ? #""bundle":{"compatible":null}"# : content)}}}
            """
    }

    private static func written(status: String = "ok", activated: String = "2026-11-21T14:42:45Z") -> String {
        """
        "bundle":{"compatible":"edge-agent-qemu-virt","version":"0.2.0","description":"EdgeAgent for qemu-virt",\
        "build":"20261121T120000","hash":"57c8f87e0fe3dc12"},"checksum":{"sha256":"b59efb19e1a22c72","size":2097152},\
        "installed":{"timestamp":"\(max(activated, "2026-11-21T14:42:45Z"))","count":1},\
        "activated":{"timestamp":"\(activated)","count":1},"status":"\(status)"
        """
    }
}

extension String {
    fileprivate func replacingState(_ isBooted: Bool) -> String {
        guard let range = self.firstRange(of: "STATE") else { return self }
        var text = self
        text.replaceSubrange(range, with: isBooted ? "booted" : "inactive")
        return text
    }
}
