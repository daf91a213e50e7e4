import Bytes
import Cryptography
import Foundation
import Revocation
import Support
import Tokens

/// Status lists of one issuer: none is accepted but by its key and for its URI, and what one says is what Foundation reads in it.
final class StatusListHarness: Harness {
    private static let uri = "https://lists.example.test/lists/1"
    /// Longer lists are not counted through, for the sake of speed.
    private static let countedStatuses = 1 << 20

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let signer: FeedSigner
    private let other: FeedSigner

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        signer = FeedSigner(
            issuer: Broker.issuer, keys: try Broker(key: owner, algorithm: .es256).keySet(), algorithms: [.es256])
        other = FeedSigner(
            issuer: Broker.issuer, keys: try Broker(key: stranger, algorithm: .ed25519).keySet(),
            algorithms: [.ed25519])
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let list = verify(input, by: signer) else {
            try demand(verify(input, by: signer) == nil, "what is refused once is refused again")
            return false
        }
        let jws = try demand(try? CompactJWS(input), "a list is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a list is signed by its issuer's key")
        try demand(verify(input, by: other) == nil, "a list is of one issuer's key")
        try demand(verify(input, by: signer, uri: Self.uri + "0") == nil, "a list is of one URI")
        if let end = list.expiresAt {
            try demand(verify(input, by: signer, now: end) == nil, "a list has its end")
        }
        try demand(verify(input, by: signer, after: list) != nil, "a list may follow itself")
        try checkStatuses(list, jws.payload)
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    private func verify(
        _ input: Span<UInt8>, by signer: FeedSigner, uri: String = uri, after known: StatusList? = nil,
        now: UnixTime = Broker.now
    ) -> StatusList? {
        do throws(StatusListFault) {
            return try StatusListToken.verify(input, uri: uri, by: signer, after: known, engine: engine, now: now)
        } catch {
            return nil
        }
    }

    private func checkStatuses(_ list: StatusList, _ payload: [UInt8]) throws(Violation) {
        let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        let members = try demand(object, "Foundation reads the claims as an object")
        try demand(members["sub"] as? String == Self.uri, "the list is that of its URI")
        try demand(members["iss"] == nil || members["iss"] as? String == Broker.issuer, "the issuer is the signer")
        let statuses = try demand(members["status_list"] as? [String: Any], "Foundation reads the list as an object")
        try demand((statuses["bits"] as? NSNumber)?.intValue == list.bits, "the bits are what Foundation reads")
        try demand(list.issuedAt <= Broker.now + .seconds(60), "a list that is accepted has begun")
        if let end = list.expiresAt { try demand(end > Broker.now, "a list that is accepted is not over") }
        try demand(list.count * list.bits <= StatusListToken.maximumByteCount * 8, "the statuses are bounded")
        try demand(
            list.status(at: list.count) == nil && list.status(at: -1) == nil, "there is no status beyond the list")
        guard list.count <= Self.countedStatuses else { return }
        try demand(try checksum(of: list) == Self.checksum(statuses["lst"]), "the statuses are those of the checksum")
    }

    /// The Adler-32 of the bytes that the statuses are packed in (RFC 1950 §9).
    private func checksum(of list: StatusList) throws(Violation) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        let perByte = 8 / list.bits
        for start in stride(from: 0, to: list.count, by: perByte) {
            var byte: UInt32 = 0
            for index in 0..<perByte {
                let status = try demand(list.status(at: start + index), "every place of the list has a status")
                try demand(Int(status) < 1 << list.bits, "a status is of its bits")
                byte |= UInt32(status) << UInt32(index * list.bits)
            }
            low = (low + byte) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }

    /// The checksum that ends the compressed statuses.
    private static func checksum(_ value: Any?) -> UInt32? {
        guard let text = value as? String, let bytes = Base64URL.decode(text.utf8.span), bytes.count >= 4 else {
            return nil
        }
        return bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
