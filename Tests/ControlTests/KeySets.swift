import Bytes
import Control
import Cryptography
import Tokens

/// Key sets as issuers publish them, and answers that hold them.
enum KeySets {
    private static let keys = Result { try (0..<4).map { _ in try PrivateKey.generate(.ellipticCurve(.p256)) } }

    /// A set of some of four keys; the key at index 0 has the identifier `k-0`, and so on.
    static func jwks(_ indices: [Int]) throws -> String {
        let keys = try keys.get()
        let list = indices.map { keys[$0].publicJWK(keyID: "k-\($0)", algorithm: .es256) }
        return #"{"keys":[\#(list.joined(separator: ","))]}"#
    }

    /// The answer with those keys.
    static func answer(
        _ indices: [Int], fields: [String: String] = [:]
    ) throws -> Result<IncomingResponse, RetrievalError> {
        .success(IncomingResponse(status: 200, fields: fields, body: Array(try jwks(indices).utf8)))
    }

    /// An answer of that status.
    static func answer(
        status: Int, fields: [String: String] = [:], body: String = ""
    ) -> Result<IncomingResponse, RetrievalError> {
        .success(IncomingResponse(status: status, fields: fields, body: Array(body.utf8)))
    }
}

extension KeySet {
    /// The identifiers of its keys, in order.
    var identifiers: [String?] { keys.map(\.keyID) }
}
