import Bytes
import Cryptography
import Testing

@testable import Possession

@Suite("Nonces")
struct NoncesTests {
    private static let start = UnixTime(seconds: 1_800_000_000)

    private func nonces(_ fill: UInt8 = 7) throws -> Nonces {
        Nonces(key: [UInt8](repeating: fill, count: 32), interval: .seconds(300), engine: try CryptographicEngine())
    }

    private func check(_ nonces: Nonces, _ text: String, after seconds: Int64) -> NonceVerdict {
        nonces.check(text.utf8.span, at: Self.start + .seconds(seconds))
    }

    @Test("D10: A nonce is good for one stretch and, until it is renewed, for one more")
    func lifetime() throws {
        let nonces = try nonces()
        let nonce = nonces.issue(at: Self.start)
        let expectations: [(Int64, NonceVerdict)] = [
            (0, .valid), (299, .valid), (300, .validButRenew), (599, .validButRenew), (600, .invalid),
            (86_400, .invalid),
            (-1, .valid), (-300, .valid), (-301, .invalid),
        ]
        for (seconds, verdict) in expectations {
            #expect(check(nonces, nonce, after: seconds) == verdict, "\(seconds)")
        }
        let renewed = nonces.issue(at: Self.start + .seconds(300))
        #expect(renewed != nonce)
        #expect(check(nonces, renewed, after: 300) == .valid)
    }

    @Test("D10: Workers of a node agree; another node, or the same after a restart, knows nothing of its nonces")
    func keys() throws {
        let nonce = try nonces().issue(at: Self.start)
        #expect(check(try nonces(), nonce, after: 0) == .valid)
        #expect(check(try nonces(8), nonce, after: 0) == .invalid)
        #expect(try nonces(8).issue(at: Self.start) != nonce)
    }

    @Test("D10: Nothing but the exact nonce is one")
    func exactness() throws {
        let nonces = try nonces()
        let nonce = nonces.issue(at: Self.start)
        #expect(check(nonces, nonce, after: 1) == .valid)
        for text in [
            "", nonce + "=", nonce + " ", String(nonce.dropLast()), nonce.uppercased() + "a", "x" + nonce.dropFirst(),
        ]
        where text != nonce {
            #expect(check(nonces, text, after: 1) == .invalid, "\(text)")
        }
    }

    @Test("D10: A nonce is made of characters that need no quoting, and holds 128 bits")
    func characters() throws {
        let nonces = try nonces()
        var seen: Set<String> = []
        for stretch in 0..<100 {
            let nonce = nonces.issue(at: Self.start + .seconds(Int64(stretch) * 300))
            #expect(nonce.utf8.count == 22 && Base64URL.decode(nonce.utf8.span)?.count == 16)
            seen.insert(nonce)
        }
        #expect(seen.count == 100)
    }

    @Test("Around 1970 a stretch is as long as ever")
    func epoch() throws {
        let nonces = try nonces()
        let before = nonces.issue(at: UnixTime(seconds: -1))
        #expect(before != nonces.issue(at: UnixTime(seconds: 1)))
        #expect(before == nonces.issue(at: UnixTime(seconds: -300)))
        #expect(before != nonces.issue(at: UnixTime(seconds: -301)))
    }
}
