import Bytes
import Identity
import JSON

/// Reads subject identifiers (RFC 9493) as what they name among the things that can be revoked.
enum EventSubject {
    /// What a subject names; nothing where it is of a format, or has only members, that agents are not called by.
    ///
    /// A complex subject (SSF §3.2) may have members of any name. Ours are `token`, `agent`, `task`, `orchestration` (only beside
    /// `task`) and `chain`; each of them is taken back by itself, which is more than what they name together.
    static func targets(of subject: JSONValue) throws(SecurityEventFault) -> [SignalTarget] {
        guard let format = subject.member("format"), format.kind == .string else { throw .claim("sub_id.format") }
        guard format.equals("complex") else { return try simple(subject).map { [$0] } ?? [] }
        var targets: [SignalTarget] = []
        if let token = subject.member("token") {
            guard let target = try simple(token), target.level == .token else {
                throw .subject("the member token of its sub_id is not of format jwt_id")
            }
            targets.append(target)
        }
        if let agent = subject.member("agent") { targets.append(SignalTarget(.agent, try name(agent, "agent"))) }
        if let task = subject.member("task") {
            var value = try name(task, "task")
            if let orchestration = subject.member("orchestration") {
                value = try name(orchestration, "orchestration") + "/" + value
            }
            targets.append(SignalTarget(.task, value))
        }
        if let chain = subject.member("chain") { targets.append(SignalTarget(.chain, try name(chain, "chain"))) }
        return targets
    }

    /// What a subject that is not complex names: a token or an agent.
    private static func simple(_ subject: JSONValue) throws(SecurityEventFault) -> SignalTarget? {
        guard let format = subject.member("format"), format.kind == .string else { throw .claim("sub_id.format") }
        if format.equals("jwt_id") {
            return SignalTarget(.token, try text(subject, "jti"), issuer: try text(subject, "iss"))
        }
        return try agent(subject, format).map { SignalTarget(.agent, $0) }
    }

    /// The name in a member of a complex subject.
    private static func name(_ subject: JSONValue, _ member: String) throws(SecurityEventFault) -> String {
        guard let format = subject.member("format"), format.kind == .string,
            let name = try agent(subject, format)
        else { throw .subject("the member \(member) of its sub_id is not of format opaque, uri or iss_sub") }
        return name
    }

    private static func agent(_ subject: JSONValue, _ format: JSONValue) throws(SecurityEventFault) -> String? {
        if format.equals("opaque") { return try text(subject, "id") }
        if format.equals("uri") { return try text(subject, "uri") }
        if format.equals("iss_sub") {
            _ = try text(subject, "iss")
            return try text(subject, "sub")
        }
        return nil
    }

    private static func text(_ subject: JSONValue, _ name: String) throws(SecurityEventFault) -> String {
        guard let text = subject.member(named: name)?.string, !text.isEmpty else { throw .claim("sub_id.\(name)") }
        return text
    }
}
