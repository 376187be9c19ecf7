import ControlProtocol
import Media

/// Why somebody is not served, in a form that every transport can say.
package enum AccessRefusal: Error, Sendable, Hashable {
    /// No token and no ticket.
    case missing
    /// One that is not good, for whatever reason: who brings it hears no more.
    case invalid
    /// A token in an address, where it would be read by whoever reads logs.
    case tokenInAddress
    /// Too many wrong ones came from there.
    case locked(MediaTime)
    /// Good, but not for this.
    case notAllowed
    /// A page of another web site.
    case origin
    /// A name that is not this device's: a page that has its own name point here (DNS rebinding).
    case host
    /// Allowed, but there is too little of something for it now.
    case short(ResourceBudget.Resource)

    package var answer: HTTPAnswer {
        var answer = HTTPAnswer.error(status: status, code: code, message: message)
        switch self {
        case .missing, .tokenInAddress: answer.headers.append(("WWW-Authenticate", "Bearer"))
        case .invalid: answer.headers.append(("WWW-Authenticate", "Bearer error=\"invalid_token\""))
        case .locked(let time): answer.headers.append(("Retry-After", "\((time.milliseconds + 999) / 1000)"))
        case .short: answer.headers.append(("Retry-After", "10"))
        case .notAllowed, .origin, .host: break
        }
        return answer
    }

    package var status: Int {
        switch self {
        case .missing, .invalid, .tokenInAddress: 401
        case .notAllowed, .origin, .host: 403
        case .locked: 429
        case .short: 503
        }
    }

    package var code: String {
        switch self {
        case .missing: "noToken"
        case .invalid: "wrongToken"
        case .tokenInAddress: "tokenInAddress"
        case .locked: "tooManyGuesses"
        case .notAllowed: "notAllowed"
        case .origin: "originRefused"
        case .host: "hostRefused"
        case .short: "tooFewResources"
        }
    }

    private var message: String {
        switch self {
        case .missing: "a token or a ticket is needed: Authorization: Bearer …; edgectl access says how to get one"
        case .invalid: "the token or ticket is not valid, or no longer"
        case .tokenInAddress:
            "a token does not belong in an address, which ends up in logs; make a ticket with it: POST /ticket"
        case .locked: "too many wrong tokens came from this address; wait"
        case .notAllowed: "the token or ticket does not allow this"
        case .origin: "pages of this web site may not use the device; add it to server.allowedOrigins"
        case .host: "the device is not known by this name; add it to server.allowedOrigins, or use the address"
        case .short(let resource): "the device is short of \(resource) for more than it does now; try again later"
        }
    }
}
