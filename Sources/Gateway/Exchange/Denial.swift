public import HTTP

/// Why a call does not go through: the coarse code for the client and the exact reason for the record.
public struct Denial: Error, Equatable, Sendable {
    /// What the client is told.
    public let code: ProblemCode
    /// The status of the answer.
    public let status: UInt16
    /// The exact check, stable, for the audit record.
    public let reason: String
    /// The scope that was missing, for the challenge (RFC 6750 §3).
    public let scope: String?
    /// Whether the connection must not be used any further.
    public let closesConnection: Bool

    /// Makes a denial with the status of its code.
    public init(
        _ code: ProblemCode, _ reason: String, status: UInt16? = nil, scope: String? = nil,
        closesConnection: Bool = false
    ) {
        self.code = code
        self.status = status ?? code.status
        self.reason = reason
        self.scope = scope
        self.closesConnection = closesConnection
    }

    /// The denial of a message that could not be taken as it came; its connection ends (HTTP/1) with the answer.
    public init(_ fault: MessageFault) {
        switch fault {
        case .contentTooLarge: self.init(.tooLarge, fault.rawValue, status: 413, closesConnection: true)
        case .targetTooLong: self.init(.tooLarge, fault.rawValue, status: 414, closesConnection: true)
        case .fieldsTooLarge, .tooManyFields: self.init(.tooLarge, fault.rawValue, status: 431, closesConnection: true)
        case .expectation: self.init(.malformedRequest, fault.rawValue, status: 417, closesConnection: true)
        default: self.init(.malformedRequest, fault.rawValue, closesConnection: true)
        }
    }
}
