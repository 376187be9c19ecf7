import ControlProtocol
import NIOHTTP1
import Signalling

/// Who looks for what is wrong with the device.
package protocol Doctor: Sendable {
    /// Looks for a few seconds, at all areas at once; those that it knows nothing of give no findings.
    func examine(_ areas: Set<FindingReport.Area>) async -> [FindingReport]
}

/// The control API's part on what is wrong: `GET doctor?area=camera,sound`; all areas where none is named.
package struct DoctorRoutes: Sendable {
    private let doctor: any Doctor

    package init(_ doctor: any Doctor) { self.doctor = doctor }

    /// Nil where it is none of these.
    func route(_ request: HTTPRequest, _ path: ArraySlice<Substring>) -> RouteOutcome? {
        guard path.elementsEqual(["doctor"]) else { return nil }
        guard request.method == .GET else { return .answer(.methodNotAllowed([.GET])) }
        guard let query = try? RequestQuery(request.query), let areas = Self.areas(query["area"] ?? "") else {
            let names = FindingReport.Area.allCases.map(\.rawValue).joined(separator: ", ")
            return .answer(.error(.badRequest("area is one or more of \(names), with commas between")))
        }
        return .work { [doctor] in .json(await doctor.examine(areas)) }
    }

    private static func areas(_ text: String) -> Set<FindingReport.Area>? {
        let names = text.split(separator: ",")
        guard !names.isEmpty else { return Set(FindingReport.Area.allCases) }
        let areas = names.compactMap { FindingReport.Area(rawValue: String($0)) }
        return areas.count == names.count ? Set(areas) : nil
    }
}
