import Bytes
import Cryptography
import Support
import Testing

extension PublishedList: CustomTestStringConvertible {
    var testDescription: String { name }

    func read() throws(RevocationListError) -> [CertificateRevocationList] {
        let bytes = Array(list.utf8)
        return try CertificateRevocationList.all(in: bytes.span)
    }
}

/// Spans cannot be operands of `#expect`.
private func read(_ der: [UInt8]) throws(RevocationListError) -> CertificateRevocationList {
    try CertificateRevocationList(der: der.span)
}

private func readAll(_ file: [UInt8]) throws(RevocationListError) -> [CertificateRevocationList] {
    try CertificateRevocationList.all(in: file.span)
}

@Suite("Revocation list")
struct CertificateRevocationListTests {
    private typealias Maker = RevocationListMaker
    private let maker: RevocationListMaker

    init() throws {
        let authority = try CertificateAuthority.make(
            commonName: "Agents", validFor: Fixtures.beginning...Fixtures.end)
        maker = RevocationListMaker(authority, name: "Agents", validFor: Fixtures.beginning...Fixtures.end)
    }

    // MARK: What others made

    @Test("What other programs wrote is read and verified", arguments: PublishedList.all)
    func published(sample: PublishedList) throws {
        let lists = try sample.read()
        let authority = try #require(try Certificate.chain(sample.authority).first)
        let list = try #require(lists.first)
        #expect(lists.count == 1)
        #expect(list.issuer == authority.facts.subject)
        #expect(list.number == sample.number)
        #expect(list.count == sample.serialNumbers.count)
        for number in sample.serialNumbers { #expect(list.lists(serialNumber: number)) }
        for number in ["00", "02", "f2", "abcdee", "7ffffffffffffffffffffffffffffffffffffffe", "-01"] {
            #expect(!list.lists(serialNumber: number))
        }
        #expect(list.isSigned(by: authority))
        #expect(list.isSigned(by: authority))
        for other in PublishedList.all where other.name != sample.name {
            let stranger = try #require(try Certificate.chain(other.authority).first)
            #expect(!list.isSigned(by: stranger))
        }
    }

    @Test("No bit of a list can be changed without notice", arguments: PublishedList.all)
    func changed(sample: PublishedList) throws {
        let authority = try #require(try Certificate.chain(sample.authority).first)
        let text = sample.list.split(separator: "\n").dropFirst().dropLast().joined()
        let der = try #require(Base64.decode(text))
        #expect(try read(der).isSigned(by: authority))
        for place in der.indices {
            var changed = der
            changed[place] ^= 1
            let isTaken = (try? read(changed))?.isSigned(by: authority) ?? false
            #expect(!isTaken, "byte \(place)")
        }
    }

    @Test("A file may hold several lists among other things, or one in DER")
    func files() throws {
        let text = PublishedList.rsa.authority + "\n# list\n" + PublishedList.rsa.list + "\n" + PublishedList.p256.list
        #expect(try readAll(Array(text.utf8)).map(\.issuer) == ["CN=rsa,O=Example,C=DE", "CN=p256,O=Example,C=DE"])
        #expect(try readAll(try maker.der()).map(\.issuer) == ["CN=Agents"])
    }

    @Test("A file without a list, or with a broken one, is refused")
    func brokenFiles() throws {
        let sound = PublishedList.rsa.list
        #expect(throws: RevocationListError.noList) { try readAll([]) }
        #expect(throws: RevocationListError.noList) { try readAll(Array("garbage".utf8)) }
        #expect(throws: RevocationListError.noList) { try readAll(Array(PublishedList.rsa.authority.utf8)) }
        #expect(throws: RevocationListError.malformed) { try readAll(Array(sound.dropLast(40).utf8)) }
        #expect(throws: RevocationListError.malformed) { try readAll(Array((sound + sound.dropLast(40)).utf8)) }
        #expect(throws: RevocationListError.malformed) { try readAll(try maker.der() + [0]) }
        #expect(throws: Never.self) { try readAll(Array(sound.utf8)) }
    }

    // MARK: What is written by hand

    private func fault(_ change: (inout RevocationListMaker) -> Void) throws -> RevocationListError? {
        var changed = maker
        change(&changed)
        let der = try changed.der()
        do throws(RevocationListError) {
            _ = try read(der)
            return nil
        } catch {
            return error
        }
    }

    @Test("Every kind of key signs lists", arguments: PrivateKeyTests.kinds)
    func kinds(kind: PrivateKey.Kind) throws {
        let key = try TestKey.first(kind)
        var request = CertificateRequest(
            publicKey: key.publicKey, commonName: "Agents", notBefore: Fixtures.beginning, notAfter: Fixtures.end)
        request.isCertificateAuthority = true
        request.extendedKeyUsages = nil
        request.keyUsage = KeyUsage([.keyCertSign, .crlSign])
        let certificate = try maker.authority.issue(request)
        var made = maker
        made.authority = CertificateAuthority(certificate: certificate, key: key)
        made.entries = [Maker.entry("0a")]
        let list = try made.list()
        #expect(list.isSigned(by: certificate))
        #expect(!list.isSigned(by: maker.authority.certificate))
    }

    @Test("An authority whose key usage does not say so signs no lists")
    func keyUsage() throws {
        func authority(_ usage: KeyUsage?) throws -> Certificate {
            var request = CertificateRequest(
                publicKey: maker.authority.key.publicKey, commonName: "Agents", notBefore: Fixtures.beginning,
                notAfter: Fixtures.end)
            request.isCertificateAuthority = true
            request.keyUsage = usage
            return try maker.authority.issue(request)
        }
        let list = try maker.list()
        #expect(list.isSigned(by: try authority(KeyUsage([.keyCertSign, .crlSign]))))
        #expect(list.isSigned(by: try authority(nil)))
        #expect(!list.isSigned(by: try authority(KeyUsage([.keyCertSign]))))
    }

    @Test("The one name of an issuer is the same whatever its strings are made of")
    func names() throws {
        var other = maker
        other.issuer = Maker.name("Agents", string: 0x13)
        #expect(try other.list().issuer == maker.list().issuer)
        #expect(try fault { $0.issuer = DER.sequence([]) } == .malformed)
    }

    @Test("Serial numbers are compared as numbers, however long, and with their sign")
    func serialNumbers() throws {
        let long = String(repeating: "ab", count: 40)
        var made = maker
        made.entries = [
            Maker.entry("00ff"), Maker.entry(long), DER.sequence(DER.integer([0x80]), DER.time("260101000000Z")),
            DER.sequence(DER.integer([0xFF, 0x00]), DER.time("260101000000Z")),
            DER.sequence(DER.integer([0]), DER.time("260101000000Z")),
        ]
        let list = try made.list()
        #expect(list.count == 5)
        for number in ["ff", "00ff", long, "-80", "-0100", "00"] { #expect(list.lists(serialNumber: number)) }
        for number in ["0f", "80", "0100", "-ff", String(long.dropLast(2)), "01"] {
            #expect(!list.lists(serialNumber: number))
        }
    }

    @Test("Thousands are found, and their neighbours are not")
    func thousands() throws {
        func text(_ number: Int) -> String {
            let bytes = [UInt8(number / 256), UInt8(number % 256)]
            return Hexadecimal.encode(bytes.span)
        }
        var made = maker
        made.entries = (1...3000).map { Maker.entry(text($0 * 2)) }
        let list = try made.list()
        #expect(list.count == 3000)
        for number in 1...6001 {
            let isListed = number % 2 == 0 && number <= 6000
            #expect(list.lists(serialNumber: text(number)) == isListed)
        }
    }

    @Test("A reason and a date change nothing: what is listed is revoked")
    func entryExtensions() throws {
        var made = maker
        made.entries = [
            Maker.entry("01", extensions: [Maker.extended(21, DER.value(0x0A, [6]))]),
            Maker.entry("02", extensions: [Maker.extended(24, DER.time("20260101000000Z"))]),
            Maker.entry("03", extensions: [Maker.extended(99, [5, 0])]),
        ]
        let list = try made.list()
        for number in ["01", "02", "03"] { #expect(list.lists(serialNumber: number)) }
        let entry = { (number: UInt8) in
            Maker.entry("01", extensions: [Maker.extended(number, isCritical: true, [5, 0])])
        }
        #expect(try fault { $0.entries = [entry(29)] } == .indirect)
        #expect(try fault { $0.entries = [entry(99)] } == .unknownExtension)
    }

    @Test("Whatever limits a list, or makes it a part of another, is understood or refused")
    func extensions() throws {
        #expect(try fault { $0.extensions = [Maker.number(1)] } == nil)
        #expect(try fault { $0.extensions = [Maker.extended(46, [0x30, 0])] } == nil)
        #expect(try fault { $0.extensions = [Maker.extended(46, isCritical: true, [0x30, 0])] } == .unknownExtension)
        #expect(try fault { $0.extensions = [Maker.extended(27, isCritical: true, DER.integer([1]))] } == .delta)
        #expect(try fault { $0.extensions = [Maker.number(1), Maker.number(1)] } == .duplicateExtension)
        #expect(try fault { $0.extensions = [Maker.scope(DER.value(0x84, [0xFF]))] } == .indirect)
        #expect(try fault { $0.extensions = [Maker.scope(DER.value(0x83, [7, 0x80]))] } == .partial)
        #expect(try fault { $0.extensions = [Maker.scope(DER.value(0x85, [0xFF]))] } == .partial)
        #expect(try fault { $0.extensions = [Maker.scope(DER.value(0xA0, DER.value(0xA1, [])))] } == .partial)
        #expect(
            try fault { $0.extensions = [Maker.scope(DER.value(0x81, [0xFF]), DER.value(0x82, [0xFF]))] } == .partial)
        #expect(try fault { $0.extensions = [Maker.scope(DER.value(0x81, [0xFF]))] } == nil)
        #expect(try fault { $0.extensions = [] } == .malformed)
        #expect(
            try fault {
                $0.extensions = [Maker.number(1)]
                $0.version = nil
            } == .malformed)
    }

    @Test("A list is about the certificates that its scope names")
    func scope() throws {
        func list(_ fields: [UInt8]...) throws -> CertificateRevocationList {
            var made = maker
            made.extensions = [Maker.scope(fields.flatMap(\.self))]
            return try made.list()
        }
        var leaf = CertificateFacts(notBefore: Fixtures.beginning, notAfter: Fixtures.end)
        var authority = leaf
        authority.isCertificateAuthority = true
        #expect(try maker.list().isAbout(leaf))
        #expect(try maker.list().isAbout(authority))
        let users = try list(DER.value(0x81, [0xFF]))
        #expect(users.isAbout(leaf))
        #expect(!users.isAbout(authority))
        let authorities = try list(DER.value(0x82, [0xFF]))
        #expect(!authorities.isAbout(leaf))
        #expect(authorities.isAbout(authority))
        let part = try list(Maker.point("http://ca.example/1.crl"))
        #expect(!part.isAbout(leaf))
        leaf.distributionPoints = [Array("http://ca.example/2.crl".utf8)]
        #expect(!part.isAbout(leaf))
        leaf.distributionPoints.append(Array("http://ca.example/1.crl".utf8))
        #expect(part.isAbout(leaf))
    }

    @Test("Fields that are missing, doubled, in another order or of another kind are refused")
    func fields() throws {
        #expect(try fault { _ in } == nil)
        #expect(try fault { $0.version = nil } == nil)
        #expect(try fault { $0.entries = [] } == nil)
        #expect(try fault { $0.version = DER.integer([0]) } == .malformed)
        #expect(try fault { $0.version = DER.integer([2]) } == .malformed)
        #expect(try fault { $0.nextUpdate = nil } == .noNextUpdate)
        #expect(try fault { $0.thisUpdate = DER.time("300101000000Z") } == .malformed)
        #expect(try fault { $0.thisUpdate = DER.time("260101000000+") } == .malformed)
        #expect(try fault { $0.thisUpdate = DER.time("261301000000Z") } == .malformed)
        #expect(try fault { $0.thisUpdate = DER.time("20260101000000Z") } == nil)
        #expect(try fault { $0.thisUpdate = DER.time("20260101000000.5Z") } == .malformed)
        #expect(try fault { $0.outerAlgorithm = DER.sequence(DER.identifier([0x2B, 0x65, 0x70])) } == .malformed)
        #expect(try fault { $0.entries = [DER.sequence(DER.integer([1]))] } == .malformed)
        #expect(
            try fault { $0.entries = [DER.sequence(DER.integer([0, 1]), DER.time("260101000000Z"))] } == .malformed)
        #expect(try fault { $0.entries = [DER.sequence(DER.integer([]), DER.time("260101000000Z"))] } == .malformed)
        #expect(try fault { $0.entries = [Maker.entry("01") + [5, 0]] } == .malformed)
    }

    @Test("SHA-1, RSASSA-PSS and what nobody knows are no algorithms for lists")
    func algorithms() throws {
        let rsa: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]
        for last in [4, 5, 10] as [UInt8] {
            #expect(try fault { $0.algorithm = DER.sequence(DER.identifier(rsa + [last]), [5, 0]) } == .algorithm)
        }
        let ecdsa: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 2]
        #expect(try fault { $0.algorithm = DER.sequence(DER.identifier(ecdsa), [5, 0]) } == .algorithm)
        #expect(try fault { $0.algorithm = DER.sequence(DER.identifier(ecdsa)) } == nil)
    }

    @Test("A list cut off anywhere, or followed by anything, is refused")
    func lengths() throws {
        var made = maker
        made.entries = [Maker.entry("01")]
        made.extensions = [Maker.number(3)]
        let der = try made.der()
        #expect(throws: Never.self) { try read(der) }
        for count in 0..<der.count { #expect(throws: RevocationListError.malformed) { try read(Array(der[..<count])) } }
        #expect(throws: RevocationListError.malformed) { try read(der + [0]) }
        // The outer length in three bytes where fewer do.
        #expect(der[1] == 0x81 || der[1] == 0x82)
        let padded = der[1] == 0x81 ? [der[0], 0x82, 0] + der[2...] : [der[0], 0x83, 0] + der[2...]
        #expect(throws: RevocationListError.malformed) { try read(padded) }
        #expect(throws: RevocationListError.malformed) { try read([0x30, 0x80] + der[3...] + [0, 0]) }
    }

    // MARK: Time

    @Test("Times are those of the calendar, and the last moment counts")
    func times() throws {
        var made = maker
        made.thisUpdate = DER.time("240229235959Z")
        made.nextUpdate = DER.time("20500301000000Z")
        let list = try made.list()
        #expect(list.thisUpdate == UnixTime(seconds: 1_709_251_199))
        #expect(list.nextUpdate == UnixTime(seconds: 2_529_705_600))
        #expect(!list.isExpired(at: list.nextUpdate))
        #expect(list.isExpired(at: list.nextUpdate + .seconds(1)))
        made.thisUpdate = DER.time("500101000000Z")
        #expect(try made.list().thisUpdate == UnixTime(seconds: -631_152_000))
        made.nextUpdate = DER.time("99991231235959Z")
        #expect(try made.list().nextUpdate > UnixTime(seconds: 9_000_000_000))
    }

    @Test("The higher number is the later list; without numbers the later time")
    func order() throws {
        func list(_ number: [UInt8]?, at time: String) throws -> CertificateRevocationList.Edition {
            var made = maker
            made.thisUpdate = DER.time(time)
            made.extensions = number.map { [Maker.extended(20, DER.integer($0))] }
            return try made.list().edition
        }
        let second = try list([2], at: "260102000000Z")
        #expect(try list([1], at: "260103000000Z").isOlder(than: second))
        #expect(try !list([1, 0], at: "260101000000Z").isOlder(than: second))
        #expect(try second.isOlder(than: list([1, 0], at: "260101000000Z")))
        #expect(try list([2], at: "260101000000Z").isOlder(than: second))
        #expect(!second.isOlder(than: second))
        #expect(try list(nil, at: "260101000000Z").isOlder(than: second))
        #expect(try !list(nil, at: "260103000000Z").isOlder(than: second))
    }

    @Test("The number and the key's identifier are read; numbers are not negative")
    func identifiers() throws {
        var made = maker
        let identifier = try #require(maker.authority.certificate.subjectKeyIdentifier)
        made.extensions = [
            Maker.extended(35, DER.sequence(DER.value(0x80, identifier))), Maker.extended(20, DER.integer([0, 0x80])),
        ]
        let list = try made.list()
        #expect(list.keyIdentifier == identifier)
        #expect(list.number == [0x80])
        #expect(try fault { $0.extensions = [Maker.extended(20, DER.integer([0x80]))] } == .malformed)
        #expect(
            try fault { $0.extensions = [Maker.extended(20, DER.integer([UInt8](repeating: 1, count: 22)))] }
                == .malformed)
    }
}

/// Base64 for the texts of this file.
private enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
        let bytes = Array(urlSafe.utf8)
        return Base64URL.decode(bytes.span)
    }
}
