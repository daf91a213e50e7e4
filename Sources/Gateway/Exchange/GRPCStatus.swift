import Bytes
import HTTP

/// The status codes of gRPC that the gateway answers with (grpc.io, "Status codes and their use in gRPC").
enum GRPCStatus: UInt8 {
    case invalidArgument = 3
    case deadlineExceeded = 4
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case unimplemented = 12
    case unavailable = 14
    case unauthenticated = 16

    init(_ code: ProblemCode) {
        switch code {
        case .malformedRequest, .invalidRequest: self = .invalidArgument
        case .credentialsMissing, .invalidToken, .invalidProof, .nonceRequired, .invalidWorkloadToken,
            .insufficientAuthentication:
            self = .unauthenticated
        case .insufficientScope, .policy: self = .permissionDenied
        case .noRoute: self = .unimplemented
        // Another connection may serve it, this one never: not a status that is tried again.
        case .misdirected: self = .failedPrecondition
        case .tooLarge, .rateLimited: self = .resourceExhausted
        case .upstreamTimeout: self = .deadlineExceeded
        case .upstreamFailed, .unavailable: self = .unavailable
        }
    }
}

extension Exchange {
    /// Whether the client speaks gRPC, and so reads the outcome from `grpc-status` alone.
    var isGRPC: Bool {
        guard request.version == .http2, let line = request.fields.firstIndex(of: .contentType) else { return false }
        let value = request.fields.value(line)
        let name: StaticString = "application/grpc"
        guard value.count >= name.utf8CodeUnitCount,
            value.extracting(0..<name.utf8CodeUnitCount).equalsIgnoringCase(name)
        else { return false }
        // `application/grpc-web` is another protocol, whose clients read HTTP's status.
        guard value.count > name.utf8CodeUnitCount else { return true }
        let next = value[name.utf8CodeUnitCount]
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }

    /// Fills the head of an answer that is nothing but a head ("Trailers-Only" in gRPC over HTTP/2).
    func fillGRPC(_ head: inout ResponseHead, denial: Denial) {
        head.status = 200
        head.framing = .none
        head.fields.append(.contentType, value: "application/grpc".utf8.span)
        var text = ByteQueue()
        text.append(decimal: UInt64(GRPCStatus(denial.code).rawValue))
        head.fields.append(literal: "grpc-status", value: text.readable)
        text.removeAll()
        // The titles are printable ASCII without `%`, so they need no percent-encoding.
        text.append(denial.code.title)
        text.append(" (")
        text.append(utf8: denial.code.rawValue)
        text.append(")")
        head.fields.append(literal: "grpc-message", value: text.readable)
    }
}
