import Bytes
import Identity
import Testing

@testable import Revocation

@Suite("SecurityEvent")
struct SecurityEventTests {
    private static let revoked = TrialEvents.caep + "session-revoked"
    private static let changed = TrialEvents.caep + "credential-change"
    private static let fingerprint = String(repeating: "0f", count: 32)
    private static let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

    private func targets(
        _ result: Result<SecurityEvent?, SecurityEventFault>
    ) throws -> [SignalTarget] {
        guard case .revocation(let targets, _) = try result.get() else { return [] }
        return targets
    }

    // MARK: session-revoked

    @Test(
        "A subject is a token or an agent",
        arguments: [
            (#"{"format":"jwt_id","iss":"https://a","jti":"t"}"#, SignalTarget(.token, "t", issuer: "https://a")),
            (#"{"format":"iss_sub","iss":"https://a","sub":"agent"}"#, SignalTarget(.agent, "agent")),
            (#"{"format":"uri","uri":"spiffe://example.test/a"}"#, SignalTarget(.agent, "spiffe://example.test/a")),
            (#"{"format":"opaque","id":"agent"}"#, SignalTarget(.agent, "agent")),
        ])
    func simple(subject: String, target: SignalTarget) throws {
        #expect(try targets(TrialEvents.event(Self.revoked, about: subject)) == [target])
    }

    @Test(
        "A complex subject is all that its members name",
        arguments: [
            (#""task":{"format":"opaque","id":"t-1"}"#, [SignalTarget(.task, "t-1")]),
            (
                #""task":{"format":"opaque","id":"t-1"},"orchestration":{"format":"opaque","id":"o-1"}"#,
                [SignalTarget(.task, "o-1/t-1")]
            ),
            (#""chain":{"format":"uri","uri":"spiffe://e.test/a"}"#, [SignalTarget(.chain, "spiffe://e.test/a")]),
            (
                #""agent":{"format":"iss_sub","iss":"i","sub":"a"},"token":{"format":"jwt_id","iss":"i","jti":"t"}"#,
                [SignalTarget(.token, "t", issuer: "i"), SignalTarget(.agent, "a")]
            ),
            (#""task":{"format":"opaque","id":"t"},"tenant":{"format":"opaque","id":"x"}"#, [SignalTarget(.task, "t")]),
        ])
    func complex(members: String, expected: [SignalTarget]) throws {
        let subject = "{\"format\":\"complex\",\(members)}"
        #expect(try targets(TrialEvents.event(Self.revoked, about: subject)) == expected)
    }

    @Test(
        "A subject that agents are not called by says nothing",
        arguments: [
            #"{"format":"email","email":"a@example.test"}"#,
            #"{"format":"complex","user":{"format":"opaque","id":"u"}}"#,
            #"{"format":"complex","orchestration":{"format":"opaque","id":"o"}}"#,
        ])
    func foreign(subject: String) throws {
        guard case .ignored = try TrialEvents.event(Self.revoked, about: subject).get() else {
            Issue.record("it is not ignored")
            return
        }
    }

    @Test(
        "A subject that is malformed refuses the token",
        arguments: [
            #"{"format":"jwt_id","iss":"a"}"#, #"{"format":"jwt_id","jti":"a"}"#, #"{"format":"opaque"}"#,
            #"{"format":"opaque","id":""}"#, #"{"format":"uri","uri":7}"#, #"{"format":"iss_sub","sub":"a"}"#,
            #"{"format":7}"#, #"{"format":"complex","task":"t"}"#,
            #"{"format":"complex","task":{"format":"email","email":"a@b"}}"#,
            #"{"format":"complex","token":{"format":"opaque","id":"t"}}"#,
        ])
    func malformed(subject: String) throws {
        let result = try TrialEvents.event(Self.revoked, about: subject)
        #expect(throws: SecurityEventFault.self) { try result.get() }
    }

    @Test("The reason is what the transmitter tells administrators, in English if it can")
    func reason() throws {
        func reason(_ content: String) throws -> String? {
            guard case .revocation(_, let reason) = try TrialEvents.event(Self.revoked, content).get() else {
                return nil
            }
            return reason
        }
        #expect(try reason("{}") == "session-revoked")
        #expect(try reason(#"{"reason_admin":"gone"}"#) == "gone")
        #expect(try reason(#"{"reason_admin":{"de":"weg","en":"gone"}}"#) == "gone")
        #expect(try reason(#"{"reason_admin":{"de":"weg"}}"#) == "weg")
        #expect(try reason(#"{"reason_admin":{"en":"a\nb"}}"#) == "session-revoked")
        #expect(try reason(#"{"reason_admin":7}"#) == "session-revoked")
    }

    // MARK: credential-change

    @Test(
        "A certificate or a key that was taken back is named",
        arguments: [
            (
                #""x509","x509_issuer":"CN=ca,O=example","x509_serial":"0A:1b""#,
                SignalTarget(.certificate, "0a1b", issuer: "CN=ca,O=example")
            ),
            (#""x509","fingerprint":"\#(fingerprint)""#, SignalTarget(.certificate, fingerprint)),
            (#""x509","fingerprint":"\#(fingerprint.uppercased())""#, SignalTarget(.certificate, fingerprint)),
            (#""jwk","jkt":"\#(thumbprint)""#, SignalTarget(.key, thumbprint)),
        ], ["revoke", "delete"])
    func credential(row: (content: String, target: SignalTarget), change: String) throws {
        let content = "{\"change_type\":\"\(change)\",\"credential_type\":\(row.content)}"
        #expect(try targets(TrialEvents.event(Self.changed, content)) == [row.target])
    }

    @Test("A key may be the subject itself")
    func keySubject() throws {
        let subject = "{\"format\":\"uri\",\"uri\":\"urn:ietf:params:oauth:jwk-thumbprint:sha-256:\(Self.thumbprint)\"}"
        let content = #"{"change_type":"revoke","credential_type":"jwk"}"#
        #expect(
            try targets(TrialEvents.event(Self.changed, content, about: subject)) == [
                SignalTarget(.key, Self.thumbprint)
            ])
    }

    @Test(
        "What came into being, or is no certificate and no key, says nothing",
        arguments: [
            #"{"change_type":"create","credential_type":"x509","fingerprint":"\#(fingerprint)"}"#,
            #"{"change_type":"update","credential_type":"jwk","jkt":"\#(thumbprint)"}"#,
            #"{"change_type":"revoke","credential_type":"password"}"#,
        ])
    func nothing(content: String) throws {
        guard case .ignored = try TrialEvents.event(Self.changed, content).get() else {
            Issue.record("it is not ignored")
            return
        }
    }

    @Test(
        "A certificate that is taken back and not named, or wrongly, refuses the token",
        arguments: [
            #"{"change_type":"revoke","credential_type":"x509"}"#,
            #"{"change_type":"revoke","credential_type":"x509","x509_serial":"0a"}"#,
            #"{"change_type":"revoke","credential_type":"x509","x509_issuer":"CN=a","x509_serial":"xyz"}"#,
            #"{"change_type":"revoke","credential_type":"x509","fingerprint":"0a"}"#,
            #"{"change_type":"revoke","credential_type":"jwk","jkt":"0a"}"#,
            #"{"change_type":"revoke"}"#, #"{"credential_type":"x509"}"#,
        ])
    func unnamed(content: String) throws {
        let result = try TrialEvents.event(Self.changed, content)
        #expect(throws: SecurityEventFault.self) { try result.get() }
    }

    // MARK: Others

    @Test("The stream tells of itself")
    func stream() throws {
        #expect(try TrialEvents.event(TrialEvents.ssf + "verification", #"{"state":"s"}"#).get() == .verification)
        let updated = TrialEvents.ssf + "stream-updated"
        #expect(try TrialEvents.event(updated, #"{"status":"enabled"}"#).get() == .stream(isEnabled: true))
        #expect(try TrialEvents.event(updated, #"{"status":"paused"}"#).get() == .stream(isEnabled: false))
        #expect(try TrialEvents.event(updated, #"{"status":"disabled"}"#).get() == .stream(isEnabled: false))
        #expect(throws: SecurityEventFault.self) { try TrialEvents.event(updated).get() }
    }

    @Test(
        "An event of another type says nothing",
        arguments: [
            TrialEvents.caep + "risk-level-change", TrialEvents.caep + "session-revoked2", TrialEvents.caep,
            "https://evil.example/session-revoked", "session-revoked",
        ])
    func otherType(type: String) throws {
        guard case .ignored = try TrialEvents.event(type).get() else {
            Issue.record("it is not ignored")
            return
        }
    }
}
