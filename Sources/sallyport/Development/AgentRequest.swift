import Bytes
import Identity
import JSON

/// What an agent is made for, and how its token is to look.
struct AgentRequest {
    /// What a token is bound to.
    enum Binding: String {
        /// The agent's certificate (RFC 8705).
        case certificate
        /// Nothing: such a token is refused, and is made to see that.
        case none
    }

    /// The orchestration that it works for.
    let orchestration: String
    /// The task that it was started for.
    let task: String
    /// The human who answers for it.
    var sponsor: String?
    /// The grants of the token.
    var scopes: [String] = []
    /// The name of its folder, or nothing for its instance id.
    var name: String?
    /// The life of the token.
    var lifetime = Interval.seconds(300)
    /// How long ago the token expired, or nothing for one that is valid.
    var expiredBy: Interval?
    /// What the token is bound to.
    var binding = Binding.certificate
    /// Claims to set or to remove.
    var claims: [ClaimOverride] = []
}

/// A claim that is set to some JSON, or removed.
struct ClaimOverride {
    /// The name of the claim.
    let name: String
    /// The value as JSON, or nothing to remove the claim.
    let json: String?

    /// Reads `NAME=JSON` or `NAME=`.
    init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw CommandFailure.couldNotRun("--claim \(text) is not understood; give NAME=JSON, or NAME= to remove it")
        }
        name = String(parts[0])
        json = parts[1].isEmpty ? nil : String(parts[1])
        guard let json else { return }
        do throws(JSONError) {
            _ = try JSONDocument(json.utf8.span)
        } catch {
            throw CommandFailure.couldNotRun(
                "--claim \(name) is not JSON (\(error)); quote text as in '\(name)=\"value\"'")
        }
    }
}

/// Who an agent instance is.
struct AgentIdentity {
    /// 16 random hexadecimal digits.
    let instance: String
    /// `spiffe://TRUSTDOMAIN/agent/ORCHESTRATION/TASK/INSTANCE`.
    let spiffeID: String

    /// Draws an instance of the agent that is asked for.
    init(_ request: AgentRequest, trustDomain: String) throws {
        var instanceBytes: [UInt8] = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<8 { instanceBytes.append(.random(in: 0...255, using: &generator)) }
        instance = Hexadecimal.encode(instanceBytes.span)
        spiffeID = "spiffe://\(trustDomain)/agent/\(request.orchestration)/\(request.task)/\(instance)"
        do throws(SPIFFEIDError) {
            let id = try SPIFFEID(spiffeID.utf8.span)
            // Otherwise one of the two brought a slash.
            guard id.path.split(separator: "/").count == 4 else { throw .path }
        } catch {
            throw CommandFailure.couldNotRun(
                "\(spiffeID) is no SPIFFE ID; use letters, digits, -, _ and . for --orchestration and --task")
        }
    }
}
