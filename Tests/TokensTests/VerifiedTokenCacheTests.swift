import Bytes
import Cryptography
import Support
import Testing

@testable import Tokens

@Suite("The verified-token cache")
struct VerifiedTokenCacheTests {
    private func verifier(_ capacity: Int = 8) throws -> TokenVerifier {
        TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: capacity)
    }

    @Test("A token shown again has the claims of the first time")
    func hit() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        let token = try broker.token()
        let first = try verdict(verifier, token, table).get()
        let second = try verdict(verifier, token, table).get()
        #expect(first === second)
        #expect(verifier.cachedTokenCount == 1)
    }

    @Test("Only verified tokens enter")
    func onlyVerified() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        var forged = try broker.token()
        forged[forged.count - 3] ^= 1
        _ = verdict(verifier, forged, table)
        _ = verdict(verifier, try broker.token(["exp": "1799999000", "iat": "1799998000"]), table)
        _ = verdict(verifier, try broker.token(["aud": #""x""#]), table)
        #expect(verifier.cachedTokenCount == 0)
        #expect(verdict(verifier, try broker.token(), table).rejection == nil)
        #expect(verifier.cachedTokenCount == 1)
    }

    @Test("A token that differs in one byte is another token")
    func exactBytes() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        let token = try broker.token()
        #expect(verdict(verifier, token, table).rejection == nil)
        for index in token.indices {
            var changed = token
            changed[index] ^= 1
            #expect(verdict(verifier, changed, table).rejection != nil)
        }
        #expect(verdict(verifier, token + [0x41], table).rejection != nil)
        #expect(verdict(verifier, token.dropLast(), table).rejection != nil)
    }

    @Test("Its time is checked again on every hit, and an expired token is dropped")
    func time() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        let token = try broker.token(["nbf": "1800000000"])
        #expect(verdict(verifier, token, table).rejection == nil)
        let last = UnixTime(nanoseconds: 1_800_000_330_000_000_000 - 1)
        #expect(verdict(verifier, token, table, at: last).rejection == nil)
        #expect(verdict(verifier, token, table, at: UnixTime(seconds: 1_799_999_969)).rejection == .notYetValid)
        #expect(verifier.cachedTokenCount == 1)
        #expect(verdict(verifier, token, table, at: UnixTime(seconds: 1_800_000_330)).rejection == .expired)
        #expect(verifier.cachedTokenCount == 0)
    }

    @Test("A clock that went back makes a cached token one of the future")
    func future() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        let token = try broker.token()
        #expect(verdict(verifier, token, table).rejection == nil)
        #expect(verdict(verifier, token, table, at: UnixTime(seconds: 1_799_999_970)).rejection == nil)
        #expect(verdict(verifier, token, table, at: UnixTime(seconds: 1_799_999_969)).rejection == .issuedInFuture)
    }

    @Test("The listener's trust domains are checked again on every hit")
    func trustDomains() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(), try broker.table())
        let token = try broker.token()
        #expect(verdict(verifier, token, table, within: ["example.test"]).rejection == nil)
        #expect(verdict(verifier, token, table, within: ["other.test"]).rejection == .trustDomain)
        #expect(verdict(verifier, token, table, within: []).rejection == .trustDomain)
        #expect(verdict(verifier, token, table, within: nil).rejection == nil)
    }

    @Test("A token verified by another table is verified anew")
    func generations() throws {
        let broker = try Broker.standard()
        let verifier = try verifier()
        let token = try broker.token()
        let old = try broker.table()
        #expect(verdict(verifier, token, old).rejection == nil)
        let others = IssuerTable([try broker.issuer(named: "https://another.example.test")])
        #expect(verdict(verifier, token, others).rejection == .issuer)
        #expect(verifier.cachedTokenCount == 0)
        let strangers = try Broker(key: .generate(.ellipticCurve(.p256)), algorithm: .es256).table()
        #expect(verdict(verifier, token, strangers).rejection == .jws(.signature))
        #expect(verdict(verifier, token, try broker.table()).rejection == nil)
        #expect(old.generation != strangers.generation)
    }

    @Test("With no room nothing is kept, and everything still works")
    func noRoom() throws {
        let broker = try Broker.standard()
        let (verifier, table) = (try verifier(0), try broker.table())
        let token = try broker.token()
        #expect(verdict(verifier, token, table).rejection == nil)
        #expect(verdict(verifier, token, table).rejection == nil)
        #expect(verifier.cachedTokenCount == 0)
    }

    // MARK: The table by itself

    private func entry(
        _ text: String, in cache: borrowing VerifiedTokenCache, generation: UInt64 = 1
    ) throws -> CachedToken {
        let claims = TokenClaims(
            issuer: "i", issuerIndex: 0, subject: text, subjectID: nil, tokenID: text, clientID: nil,
            issuedAt: Broker.now, expiresAt: Broker.now, notBefore: nil, scopes: [], confirmations: .none, task: nil,
            orchestration: nil, sponsor: nil, signingKey: .zero)
        let compact = Array(text.utf8)
        return CachedToken(
            compact: compact, hash: cache.hash(of: compact.span), claims: claims, of: try Broker.standard().issuer(),
            generation: generation)
    }

    private func finds(_ text: String, in cache: inout VerifiedTokenCache, generation: UInt64 = 1) -> Bool {
        let compact = Array(text.utf8)
        return cache.token(compact.span, hash: cache.hash(of: compact.span), generation: generation) != nil
    }

    @Test(
        "Its size is a power of two, in sets of eight",
        arguments: [(0, 0), (1, 8), (8, 8), (9, 16), (100, 128), (4096, 4096)])
    func capacity(asked: Int, given: Int) {
        let cache = VerifiedTokenCache(capacity: asked, seed: 1)
        let capacity = cache.capacity
        #expect(capacity == given)
    }

    @Test("A flood never makes it grow, and the last token is always kept")
    func flood() throws {
        var cache = VerifiedTokenCache(capacity: 64, seed: 1)
        for index in 0..<10_000 {
            cache.insert(try entry("token-\(index)", in: cache))
            let isThere = finds("token-\(index)", in: &cache)
            #expect(isThere)
        }
        let count = cache.count
        #expect(count == 64)
    }

    @Test("The token used longest ago makes room")
    func eviction() throws {
        var cache = VerifiedTokenCache(capacity: 8, seed: 1)
        for index in 0..<8 { cache.insert(try entry("token-\(index)", in: cache)) }
        let wasThere = finds("token-0", in: &cache)
        #expect(wasThere)
        cache.insert(try entry("token-8", in: cache))
        var left: [Bool] = []
        for index in 0..<9 { left.append(finds("token-\(index)", in: &cache)) }
        #expect(left == [true, false, true, true, true, true, true, true, true])
    }

    @Test("A token that is kept again takes its own place")
    func replacement() throws {
        var cache = VerifiedTokenCache(capacity: 8, seed: 1)
        cache.insert(try entry("a", in: cache))
        let newer = try entry("a", in: cache)
        cache.insert(newer)
        let count = cache.count
        #expect(count == 1)
        cache.remove(newer)
        let isThere = finds("a", in: &cache)
        #expect(!isThere)
    }

    @Test("A removed token is gone, and so is one of an older generation")
    func removal() throws {
        var cache = VerifiedTokenCache(capacity: 8, seed: 1)
        let first = try entry("a", in: cache)
        cache.insert(first)
        cache.insert(try entry("b", in: cache))
        cache.remove(first)
        let hasFirst = finds("a", in: &cache)
        let isSecondStale = !finds("b", in: &cache, generation: 2)
        let hasSecond = finds("b", in: &cache)
        let count = cache.count
        #expect(!hasFirst)
        #expect(isSecondStale)
        #expect(!hasSecond)
        #expect(count == 0)
    }

    // MARK: The hash

    @Test("The hash depends on the seed, on every byte and on the length")
    func hash() {
        let hash = TokenHash(seed: 42)
        let other = TokenHash(seed: 43)
        var seen: Set<UInt64> = []
        var count = 0
        for length in 0..<100 {
            let bytes = [UInt8](repeating: 0x41, count: length)
            seen.insert(hash(bytes.span))
            seen.insert(other(bytes.span))
            count += 2
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1
                seen.insert(hash(changed.span))
                count += 1
            }
        }
        #expect(seen.count == count)
    }

    @Test("Bytes are compared to the last, whatever their number")
    func comparison() {
        func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.span.equalsByWords(right.span) }
        for length in 0..<40 {
            let bytes = (0..<length).map { UInt8($0) }
            #expect(areEqual(bytes, bytes))
            #expect(!areEqual(bytes, bytes + [0]))
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 0x80
                #expect(!areEqual(bytes, changed))
            }
        }
    }
}
