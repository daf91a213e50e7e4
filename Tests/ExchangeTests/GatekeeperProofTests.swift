import Bytes
import Configuration
import Cryptography
import Identity
import Policy
import Possession
import Revocation
import Support
import Testing
import Tokens

@testable import Exchange

@Suite("The gatekeeper and proofs")
struct GatekeeperProofTests {
    /// A call with a token that is bound to a client's key, allowed as it stands.
    private struct Call {
        var scheme = "DPoP"
        /// The token's confirmation; nothing: the client's key.
        var confirmation: String?
        var claims: [String: String?] = [:]
        /// The proofs that are sent, made from the token; one for the call, if nothing else is said.
        var proofs: ((_ token: String) throws -> [String])?
        var possession: Set<PossessionMethod> = [.dpop]
        var method = "GET"
        var settings = PossessionConfiguration.standard
        var now = Broker.now
        var peer: VerifiedPeer?
    }

    private struct Verdict: Equatable {
        var denial: Denial?
        var phase: DecisionPhase
        var possession: PossessionMethods
        var nonce: String?
    }

    private static let start = Broker.now - .seconds(3600)

    private static func memory(capacity: Int = 1000, start: UnixTime = start, secret: UInt8 = 7) -> ProofMemory {
        ProofMemory(capacity: capacity, secret: Array(repeating: secret, count: 48), start: start)
    }

    /// A gateway that remembers proofs from one call to the next.
    private struct Gateway {
        let gatekeeper: Gatekeeper

        init(_ memory: ProofMemory = memory()) throws {
            gatekeeper = Gatekeeper(engine: try CryptographicEngine(), memory: memory, limits: Trial.limits())
        }

        func judge(_ change: (inout Call) throws -> Void = { _ in }) throws -> Verdict {
            let trial = try Trial.standard()
            let client = try Prover.standard()
            var call = Call()
            call.peer = trial.peer
            try change(&call)
            let confirmation = call.confirmation ?? #"{"jkt":"\#(client.thumbprint)"}"#
            let token = try trial.token(call.claims.merging(["cnf": confirmation]) { $1 })
            var fields = [("Authorization", "\(call.scheme) \(token)")]
            let proofs = try call.proofs.map { try $0(token) } ?? [client.proof(call.method, token: token)]
            fields += proofs.map { ("DPoP", $0) }
            var exchange = Trial.exchange(call.method, "/orders/7?q=1", fields)
            let snapshot = EnforcementSnapshot(
                generation: 1, issuers: try trial.broker.table(),
                routes: RouteTable([try Trial.route(possession: call.possession)]), revocations: .empty,
                limits: Limits(), possession: call.settings)
            var denial: Denial?
            do {
                let connection = trial.connection(peer: call.peer)
                _ = try Trial.permit(
                    try gatekeeper.judge(&exchange, from: connection, under: snapshot, now: call.now))
            } catch let error as Denial {
                denial = error
            }
            return Verdict(
                denial: denial, phase: exchange.phase, possession: exchange.possession, nonce: exchange.freshNonce)
        }

        func denial(_ change: (inout Call) throws -> Void = { _ in }) throws -> Denial? { try judge(change).denial }
    }

    private func denial(_ change: (inout Call) throws -> Void) throws -> Denial? { try Gateway().denial(change) }

    @Test("A call with a proof by the key that its token names is permitted")
    func permitted() throws {
        let expected = Verdict(denial: nil, phase: .replay, possession: .dpop, nonce: nil)
        #expect(try Gateway().judge() == expected)
        #expect(try denial { $0.scheme = "dpop" } == nil)
    }

    @Test("D15, D16: A bound token without a proof, or under the scheme Bearer, is refused")
    func schemes() throws {
        #expect(try denial { $0.proofs = { _ in [] } } == Denial(.invalidProof, "dpop.missing"))
        #expect(
            try denial { ($0.scheme, $0.proofs) = ("Bearer", { _ in [] }) } == Denial(.invalidProof, "dpop.missing"))
        #expect(
            try denial { $0.scheme = "Bearer" } == Denial(.invalidToken, "credentials.bound-token-as-bearer"))
    }

    @Test("D16: A token that is bound to no key is refused under the scheme DPoP, and passes as what it is")
    func unbound() throws {
        let certificate = #"{"x5t#S256":"\#(try Trial.standard().peer.certificate.fingerprint.base64URL)"}"#
        #expect(
            try denial { ($0.confirmation, $0.possession) = (certificate, [.certificate]) }
                == Denial(.invalidToken, "credentials.unbound-token-as-dpop"))
        #expect(
            try denial { ($0.confirmation, $0.possession, $0.scheme) = (certificate, [.certificate], "Bearer") } == nil)
    }

    @Test("D1: Two proofs are one too many, even if both are good")
    func two() throws {
        let client = try Prover.standard()
        #expect(
            try denial { $0.proofs = { [try client.proof(token: $0), try client.proof(token: $0, identifier: "2")] } }
                == Denial(.invalidRequest, "credentials.two-dpop-fields"))
    }

    @Test("D14: A proof by another key than the token's is a fault of the token's binding")
    func anotherKey() throws {
        let thief = try Prover.other()
        #expect(
            try denial { $0.proofs = { [try thief.proof(token: $0)] } } == Denial(.invalidToken, "dpop.jkt"))
    }

    @Test("D8, D9, D11, D13: A proof for another call, time or token is refused")
    func anotherCall() throws {
        let client = try Prover.standard()
        func verdict(_ proof: @escaping (_ token: String) throws -> String) throws -> Denial? {
            try denial { $0.proofs = { [try proof($0)] } }
        }
        #expect(try verdict { try client.proof("POST", token: $0) } == Denial(.invalidProof, "dpop.htm"))
        #expect(
            try verdict { try client.proof("GET", "https://localhost:8443/orders/8", token: $0) }
                == Denial(.invalidProof, "dpop.htu"))
        #expect(try verdict { try client.proof("GET", "https://LOCALHOST:8443/orders/%37?x#y", token: $0) } == nil)
        #expect(
            try verdict { try client.proof(token: $0, at: Broker.now - .seconds(61)) }
                == Denial(.invalidProof, "dpop.iat-past"))
        #expect(try verdict { try client.proof(token: $0, at: Broker.now - .seconds(60)) } == nil)
        #expect(
            try verdict { try client.proof(token: $0, at: Broker.now + .seconds(11)) }
                == Denial(.invalidProof, "dpop.iat-future"))
        #expect(try verdict { try client.proof(token: $0, at: Broker.now + .seconds(10)) } == nil)
        #expect(try verdict { try client.proof(token: $0 + "x") } == Denial(.invalidProof, "dpop.ath"))
    }

    @Test("C3: A token that names a certificate and a key needs both")
    func both() throws {
        let trial = try Trial.standard()
        let other = try trial.handshake.peer(uris: [Broker.subject])
        let key = try Prover.standard().thumbprint
        let both = #"{"x5t#S256":"\#(trial.peer.certificate.fingerprint.base64URL)","jkt":"\#(key)"}"#
        let routes: [Set<PossessionMethod>] = [[.certificate], [.dpop], [.certificate, .dpop]]
        for possession in routes {
            #expect(try denial { ($0.confirmation, $0.possession) = (both, possession) } == nil)
            #expect(
                try denial { ($0.confirmation, $0.possession, $0.peer) = (both, possession, other) }
                    == Denial(.invalidToken, "possession.certificate-mismatch"))
            #expect(
                try denial { ($0.confirmation, $0.possession, $0.proofs) = (both, possession, { _ in [] }) }
                    == Denial(.invalidProof, "dpop.missing"))
        }
    }

    @Test("C4: A token that shows its key whole is bound to it; with a thumbprint beside it, both must be that key")
    func wholeKey() throws {
        let client = try Prover.standard()
        let thief = try Prover.other()
        let whole = #"{"jwk":\#(client.jwk)}"#
        #expect(try denial { $0.confirmation = whole } == nil)
        #expect(
            try denial { ($0.confirmation, $0.proofs) = (whole, { [try thief.proof(token: $0)] }) }
                == Denial(.invalidToken, "dpop.jkt"))
        #expect(
            try denial { $0.confirmation = #"{"jwk":\#(client.jwk),"jkt":"\#(client.thumbprint)"}"# } == nil)
        #expect(
            try denial { $0.confirmation = #"{"jwk":\#(thief.jwk),"jkt":"\#(client.thumbprint)"}"# }
                == Denial(.invalidToken, "possession.key-mismatch"))
    }

    @Test("A proof that the route does not ask for is not enough, but a policy matter")
    func notListed() throws {
        #expect(try denial { $0.possession = [.certificate] } == Denial(.policy, "policy.possession"))
    }

    // MARK: Nonces

    @Test("D10: Where a nonce is wanted, a proof without one is told which, and passes with it")
    func nonce() throws {
        let client = try Prover.standard()
        let gateway = try Gateway()
        let demand: (inout Call) -> Void = { $0.settings.requiresNonce = true }
        let first = try gateway.judge(demand)
        let nonce = try #require(first.nonce)
        #expect(first.denial == Denial(.nonceRequired, "dpop.nonce-missing"))
        let second = try gateway.judge {
            demand(&$0)
            $0.proofs = { [try client.proof(token: $0, ["nonce": "\"\(nonce)\""])] }
        }
        #expect(second == Verdict(denial: nil, phase: .replay, possession: .dpop, nonce: nil))
        let forged = try gateway.judge {
            demand(&$0)
            $0.proofs = { [try client.proof(token: $0, identifier: "p-2", ["nonce": "\"AAAAAAAAAAAAAAAAAAAAAA\""])] }
        }
        #expect(forged.denial == Denial(.nonceRequired, "dpop.nonce-unknown"))
        #expect(forged.nonce == nonce)
    }

    @Test("D10: A nonce that will not be good for long is replaced with the answer, and ends")
    func renewal() throws {
        let client = try Prover.standard()
        let gateway = try Gateway()
        let nonce = try #require(try gateway.judge { $0.settings.requiresNonce = true }.nonce)
        func later(_ seconds: Int64) throws -> Verdict {
            try gateway.judge { call in
                let now = Broker.now + .seconds(seconds)
                (call.settings.requiresNonce, call.now) = (true, now)
                call.claims["exp"] = "1800003000"
                call.proofs = {
                    [try client.proof(token: $0, identifier: "\(seconds)", at: now, ["nonce": "\"\(nonce)\""])]
                }
            }
        }
        let renewed = try later(120)
        #expect(renewed.denial == nil)
        #expect(renewed.nonce != nil && renewed.nonce != nonce)
        let ended = try later(240)
        #expect(ended.denial == Denial(.nonceRequired, "dpop.nonce-unknown"))
    }

    @Test("D10: The nonce of another node is none")
    func anotherNode() throws {
        let client = try Prover.standard()
        let nonce = try #require(
            try Gateway(Self.memory(secret: 8)).judge { $0.settings.requiresNonce = true }.nonce)
        let denial = try denial {
            $0.settings.requiresNonce = true
            $0.proofs = { [try client.proof(token: $0, ["nonce": "\"\(nonce)\""])] }
        }
        #expect(denial == Denial(.nonceRequired, "dpop.nonce-unknown"))
    }

    // MARK: Replay

    @Test("D12: A proof passes once, whatever its URI is written like, and another of the same key passes too")
    func replay() throws {
        let client = try Prover.standard()
        let gateway = try Gateway()
        #expect(try gateway.denial() == nil)
        let replayed = Denial(.invalidProof, "replay.used")
        #expect(try gateway.denial() == replayed)
        #expect(
            try gateway.denial {
                $0.proofs = { [try client.proof("GET", "https://LOCALHOST:8443/orders/7?x", token: $0)] }
            }
                == replayed)
        #expect(try gateway.denial { $0.proofs = { [try client.proof(token: $0, identifier: "p-2")] } } == nil)
    }

    @Test("D12: A call that is refused for another reason uses no proof up")
    func nothingBurned() throws {
        let gateway = try Gateway()
        #expect(try gateway.denial { $0.possession = [.certificate] } == Denial(.policy, "policy.possession"))
        #expect(try gateway.denial() == nil)
    }

    @Test("D12: Where no more proofs can be remembered, none is accepted, and that is not the client's fault")
    func full() throws {
        let client = try Prover.standard()
        let gateway = try Gateway(Self.memory(capacity: 1))
        #expect(try gateway.denial() == nil)
        let denial = try gateway.denial { $0.proofs = { [try client.proof(token: $0, identifier: "p-2")] } }
        #expect(denial?.code == .unavailable)
    }

    @Test("17: A proof from before the start is refused, one from the start on is not")
    func restart() throws {
        let late = try Gateway(Self.memory(start: Broker.now + .seconds(1)))
        #expect(try late.denial() == Denial(.invalidProof, "replay.before-start"))
        #expect(try Gateway(Self.memory(start: Broker.now)).denial() == nil)
    }

    @Test("Field values that nobody asked for are not looked at")
    func ignored() throws {
        let certificate = #"{"x5t#S256":"\#(try Trial.standard().peer.certificate.fingerprint.base64URL)"}"#
        #expect(
            try denial {
                ($0.confirmation, $0.possession, $0.scheme) = (certificate, [.certificate], "Bearer")
                $0.proofs = { _ in ["garbage"] }
            } == nil)
    }
}
