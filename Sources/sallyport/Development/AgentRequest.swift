import Bytes
import Cryptography
import Identity
import JSON

/// What an agent is made for, and how its token is to look.
struct AgentRequest {
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
    var binding = AgentBinding.certificate
    /// What the agent's proofs are signed with, where the binding needs a proof key: ES256 or Ed25519.
    var proofAlgorithm = SignatureAlgorithm.es256
    /// Claims to set or to remove.
    var claims: [ClaimOverride] = []
    /// Who delegates to it, where somebody does.
    var delegator: TrialDelegator?
    /// What is made wrong with its chain of delegation, if anything.
    var forgery: DelegationForgery?

    /// A new key for the agent's proofs.
    func generateProofKey() throws -> PrivateKey {
        try PrivateKey.generate(proofAlgorithm == .ed25519 ? .ed25519 : .ellipticCurve(.p256))
    }
}

/// A claim that is set to some JSON, or removed.
struct ClaimOverride {
    /// The name of the claim.
    let name: String
    /// The value as JSON, or nothing to remove the claim.
    let json: String?

    /// Reads `NAME=JSON`, `NAME=TEXT` or `NAME=`; what begins as an object, a list or a string must be JSON.
    init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw CommandFailure.couldNotRun(
                "--claim \(text) is not understood; give NAME=VALUE, or NAME= to remove it")
        }
        name = String(parts[0])
        json = parts[1].isEmpty ? nil : try Self.json(String(parts[1]), name)
    }

    private static func json(_ value: String, _ name: String) throws -> String {
        do throws(JSONError) {
            _ = try JSONDocument(value.utf8.span)
            return value
        } catch {
            guard let first = value.first, "{[\"".contains(first) else { return JSONObjectText.string(value) }
            throw CommandFailure.couldNotRun(
                "--claim \(name) is not JSON (\(error)); give JSON, or text that begins with no quote or bracket")
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
        instance = RandomBytes.hexadecimal(count: 8)
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
