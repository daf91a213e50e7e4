/// What can be fuzzed; each has a folder of that name in `Fuzz/Corpus`.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case attenuation, base64url, certificate, chain, crl, dpop, http1, http2, json, jwk, jws, spiffe, tls, token,
        workload,
        wpt
    case secevent, statuslist

    /// Makes the harness, with whatever keys it needs.
    public func makeHarness() throws -> any Harness {
        switch self {
        case .attenuation: AttenuationHarness()
        case .base64url: Base64URLHarness()
        case .certificate: try CertificateHarness()
        case .chain: try ChainHarness()
        case .crl: try RevocationListHarness()
        case .dpop: try DPoPHarness()
        case .http1: HTTP1Harness()
        case .http2: HTTP2Harness()
        case .json: JSONHarness()
        case .jwk: try JWKHarness()
        case .jws: JWSHarness()
        case .secevent: try SecurityEventHarness()
        case .spiffe: SPIFFEHarness()
        case .statuslist: try StatusListHarness()
        case .tls: try TLSHarness()
        case .token: try TokenHarness()
        case .workload: try WorkloadHarness()
        case .wpt: try WPTHarness()
        }
    }
}
