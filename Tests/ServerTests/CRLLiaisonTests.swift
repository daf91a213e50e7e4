import Bytes
import Control
import Cryptography
import Foundation
import Identity
import Logging
import Reactor
import Support
import TLS
import Testing

@testable import Configuration
@testable import Server

@Suite("The control thread's dealings with revocation lists")
struct CRLLiaisonTests {
    private static let now = UnixTime(nanoseconds: Clock.civil())
    private static let validity = now - .seconds(3600)...now + .seconds(86_400)
    private let trial: TrialDirectory
    private let path: String
    private let authority: CertificateAuthority
    private let mailbox: Mailbox<ControlMessage>
    private let liaison: CRLLiaison

    init() throws {
        trial = try TrialDirectory()
        try trial.directory.create()
        path = trial.path + "/agents.crl"
        authority = try CertificateAuthority.make(commonName: "Agents", validFor: Self.validity)
        mailbox = try Mailbox()
        liaison = try CRLLiaison(mailbox: mailbox, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func list(
        _ number: UInt8, revoked: [String] = [], until end: UnixTime = validity.upperBound
    ) throws -> (der: [UInt8], list: CertificateRevocationList) {
        var maker = RevocationListMaker(
            authority, name: "Agents", validFor: Self.validity.lowerBound...max(end, Self.validity.lowerBound))
        maker.extensions = [RevocationListMaker.number(number)]
        maker.entries = revoked.map { RevocationListMaker.entry($0) }
        let der = try maker.der()
        return (der, try CertificateRevocationList(der: der.span))
    }

    private func write(_ der: [UInt8]) throws { try Data(der).write(to: URL(fileURLWithPath: path), options: .atomic) }

    private func listener(
        _ name: String, _ location: RevocationListLocation?, _ lists: [CertificateRevocationList] = [],
        deniesWhenStale: Bool = true
    ) -> ListenerConfiguration {
        let source = location.map {
            RevocationListSource(location: $0, lists: lists, deniesWhenStale: deniesWhenStale)
        }
        let domain = TrustDomainConfiguration(
            name: "example.test", bundle: [authority.certificate], revocationLists: source)
        return ListenerConfiguration(
            name: name, address: .unix(path: "a"), origins: [], protocols: [.h2], certificates: [],
            minimumVersion: .v13, resumption: false, keyLogFile: nil, clientCertificate: .required, identity: .spiffe,
            trustDomains: [domain])
    }

    private func entries(_ listener: String = "agents") -> [Int]? {
        liaison.lists[listener: listener]["example.test"]?.lists.map(\.count)
    }

    /// Looks once more, and takes in what comes of it.
    private func look() -> CRLNews {
        while true {
            let news = liaison.tick()
            guard news.alerts.isEmpty else { return news }
            for message in mailbox.take() {
                if case .listFetched(let answer) = message { return liaison.fetched(answer) }
            }
            mailbox.bell.wait(timeout: CInt(clamping: max(1, liaison.delay ?? 1000)))
        }
    }

    @Test("Lists that came with the configuration are judged by at once")
    func configured() throws {
        #expect(entries() == nil)
        #expect(liaison.delay == nil)
        let prepared = liaison.prepare([listener("agents", .file(path), [try list(1, revoked: ["01"]).list])])
        #expect(entries() == nil)
        #expect(prepared.lists[listener: "agents"]["example.test"]?.lists.map(\.count) == [1])
        #expect(liaison.adopt(prepared) == [])
        #expect(entries() == [1])
        #expect(entries("other") == nil)
        #expect(liaison.unreadiness == nil)
        #expect(liaison.statuses.map(\.trustDomain) == ["example.test"])
        #expect(liaison.statuses.map(\.status.entries) == [1])
        liaison.adopt(liaison.prepare([listener("agents", nil)]))
        #expect(entries() == nil)
        #expect(liaison.statuses.isEmpty)
    }

    @Test("A file is read again when it has changed, and kept when it is broken")
    func file() throws {
        let first = try list(1)
        try write(first.der)
        liaison.adopt(liaison.prepare([listener("agents", .file(path), [first.list])]))
        try liaison.start()
        defer { liaison.stop() }
        #expect(look().lists == nil)
        try write(try list(2, revoked: ["01"]).der)
        #expect(look().lists?[listener: "agents"]["example.test"]?.lists.map(\.count) == [1])
        #expect(entries() == [1])
        try write(Array("garbage".utf8))
        let broken = look()
        #expect(broken.lists == nil)
        #expect(broken.alerts == [CRLAlert(reason: "crl.rejected", subject: "example.test (\(path))")])
        #expect(entries() == [1])
        #expect(look().alerts == [])
        try write(first.der)
        #expect(look().alerts.map(\.reason) == ["crl.older"])
        #expect(entries() == [1])
        #expect(liaison.unreadiness == nil)
    }

    @Test("What is known stays known over a reload, and gets no older")
    func reload() throws {
        liaison.adopt(liaison.prepare([listener("agents", .file(path), [try list(2, revoked: ["01"]).list])]))
        let alerts = liaison.adopt(liaison.prepare([listener("agents", .file(path), [try list(1).list])]))
        #expect(alerts.map(\.reason) == ["crl.older"])
        #expect(entries() == [1])
        liaison.adopt(
            liaison.prepare([
                listener("agents", .file(path), [try list(3).list]), listener("more", .file(path), [try list(3).list]),
            ]))
        #expect(entries() == [0])
        #expect(entries("more") == [0])
    }

    @Test("An expired list is told of once, publishes anew, and is no good health")
    func expired() throws {
        let old = try list(1, until: Self.now - .seconds(1))
        liaison.adopt(liaison.prepare([listener("agents", .file(path), [old.list])]))
        #expect(liaison.unreadiness == "a revocation list of example.test has expired")
        let news = liaison.tick()
        #expect(news.alerts.map(\.reason) == ["crl.expired"])
        #expect(news.lists != nil)
        #expect(liaison.tick().alerts == [])
        liaison.adopt(liaison.prepare([listener("agents", .file(path), [], deniesWhenStale: false)]))
        #expect(liaison.unreadiness == nil)
        #expect(liaison.statuses.map(\.status.isExpired) == [true])
    }

    @Test("A URL of which nothing was heard yet is no good health, and nobody is let in")
    func url() throws {
        let location = RevocationListLocation.url(
            "https://127.0.0.1:1/agents.crl", refreshInterval: .seconds(300), authorityFile: nil)
        liaison.adopt(liaison.prepare([listener("agents", location)]))
        #expect(entries() == [])
        #expect(liaison.unreadiness == "there is no revocation list of example.test yet")
        try liaison.start()
        defer { liaison.stop() }
        #expect(look().alerts.map(\.reason) == ["crl.rejected"])
        #expect(liaison.statuses.first?.status.lastFailure?.isEmpty == false)
    }
}
