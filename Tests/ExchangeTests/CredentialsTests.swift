import Bytes
import HTTP
import Testing

@testable import Exchange

@Suite("Credentials")
struct CredentialsTests {
    /// The token that is found, or why there is none.
    private func locate(
        _ fields: [(String, String)], target: String = "/a", limit: Int = 8
    ) throws -> Result<String?, Denial> {
        let exchange = Trial.exchange("GET", target, fields)
        var normalized = NormalizedTarget()
        try normalized.normalize(target.utf8.span)
        do throws(Denial) {
            let found = try Credentials.locate(in: exchange.request, target: normalized, limit: limit)
            guard let found else { return .success(nil) }
            return .success(text(exchange.request.fields.value(found.line).extracting(found.token)))
        } catch {
            return .failure(error)
        }
    }

    @Test(
        "B1: One token in one Authorization field is found, in any case of the scheme",
        arguments: ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc"])
    func found(value: String) throws {
        #expect(try locate([("Accept", "x"), ("Authorization", value), ("Cookie", "y")]) == .success("abc"))
    }

    @Test(
        "D15: Anything but one space between scheme and token is refused, and so is an empty token",
        arguments: [
            "Bearer\tabc", "Bearer  abc", "Bearer \tabc", "Bearer", "Bearer ", "Bearer=abc", "Bearer,abc",
            "DPoP\tabc", "DPoP  abc", "DPoP", "DPoP ",
        ])
    func separators(value: String) throws {
        #expect(
            try locate([("Authorization", value)]) == .failure(Denial(.invalidToken, "credentials.malformed")))
    }

    @Test("No Authorization field, or one of another scheme, is no credentials")
    func missing() throws {
        #expect(try locate([]) == .success(nil))
        #expect(try locate([("Proxy-Authorization", "Bearer abc"), ("X-Access-Token", "abc")]) == .success(nil))
        let other = Denial(.credentialsMissing, "credentials.other-scheme")
        for value in ["Basic YTpi", "Bearerabc", "Bearer2 abc", "Digest a=b", "", "abc", " abc"] {
            #expect(try locate([("Authorization", value)]) == .failure(other), "\(value)")
        }
    }

    @Test("D15: The scheme DPoP is told from Bearer, in any case", arguments: ["DPoP abc", "dpop abc", "DPOP abc"])
    func proofScheme(value: String) throws {
        #expect(try scheme(value) == .dpop)
        #expect(try scheme("Bearer abc") == .bearer)
    }

    private func scheme(_ value: String) throws -> AuthorizationScheme? {
        let exchange = Trial.exchange("GET", "/a", [("Authorization", value)])
        return try Credentials.locate(in: exchange.request, target: NormalizedTarget(), limit: 8)?.scheme
    }

    @Test("D17: Two Authorization fields are refused, even if both say the same")
    func twoFields() throws {
        let denial = Denial(.invalidRequest, "credentials.two-authorization-fields")
        #expect(try locate([("Authorization", "Bearer abc"), ("authorization", "Bearer abc")]) == .failure(denial))
        #expect(try locate([("Authorization", "Bearer abc"), ("Authorization", "Basic x")]) == .failure(denial))
        #expect(try locate([("Authorization", ""), ("Authorization", "Bearer abc")]) == .failure(denial))
    }

    @Test("D1: Two DPoP fields are refused, one is none of this check's business")
    func twoProofs() throws {
        let denial = Denial(.invalidRequest, "credentials.two-dpop-fields")
        let token = ("Authorization", "Bearer abc")
        #expect(try locate([token, ("DPoP", "x"), ("dpop", "x")]) == .failure(denial))
        #expect(try locate([token, ("DPoP", "x")]) == .success("abc"))
    }

    @Test(
        "B1: A token in the query is refused, beside another or alone, in every encoded spelling",
        arguments: [
            "/a?access_token=x", "/a?access_token=", "/a?access_token", "/a?b=c&access_token=x",
            "/a?b;access_token=x", "/a?access%5Ftoken=x", "/a?access%5ftoken=x",
            "/a?%61%63%63%65%73%73_token=x", "/a?b=c&&access_token=x&d", "/a?access_token=x=y",
        ])
    func inQuery(target: String) throws {
        let denial = Denial(.invalidRequest, "credentials.in-query")
        #expect(try locate([("Authorization", "Bearer abc")], target: target) == .failure(denial))
        #expect(try locate([], target: target) == .failure(denial))
    }

    @Test(
        "A query that only resembles that passes",
        arguments: [
            "/a", "/a?", "/a?b=access_token", "/a?access_tokens=x", "/a?xaccess_token=x", "/a?access+token=x",
            "/a?access-token=x", "/a?access_token%3Dx", "/a?access%255Ftoken=x", "/access_token=x",
        ])
    func otherQueries(target: String) throws {
        #expect(try locate([("Authorization", "Bearer abc")], target: target) == .success("abc"))
    }

    @Test("A token may have as many bytes as the limit says, and no more")
    func limit() throws {
        #expect(try locate([("Authorization", "Bearer 12345678")]) == .success("12345678"))
        #expect(
            try locate([("Authorization", "Bearer 123456789")])
                == .failure(Denial(.tooLarge, "limit.token-bytes", status: 431)))
    }
}
