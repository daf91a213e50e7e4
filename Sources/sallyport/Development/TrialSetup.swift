import Bytes
import Configuration
import Cryptography
import Tokens

/// A directory with everything that a trial needs: authorities, certificates, keys, a configuration, and agents.
struct TrialSetup {
    /// The directory that holds it.
    let directory: String

    /// How long the authorities and the server's certificate live.
    private static let lifetime = Interval.seconds(365 * 24 * 3600)
    /// How far back certificates are valid, for clocks that differ.
    private static let headStart = Interval.seconds(300)

    /// The files that are written beside those of each issuer.
    private enum File: String, CaseIterable {
        case configuration = "sallyport.yaml"
        case authority = "ca.pem"
        case authorityKey = "ca.key"
        case server = "server.pem"
        case serverKey = "server.key"
        case agentsAuthority = "agents-ca.pem"
        case agentsAuthorityKey = "agents-ca.key"
    }

    /// What a socket's address has room for (unix(7)).
    private static let longestSocketPath = 107

    /// The names of all files that are written.
    private static var fileNames: [String] {
        File.allCases.map(\.rawValue) + TrialIssuer.allCases.flatMap { [$0.keyFile, $0.keySetFile] }
    }

    /// The path of `sallyport.yaml`.
    var configurationFile: String { path(.configuration) }

    /// Writes everything.
    ///
    /// - Parameter replacing: whether to write over a set-up that is there; its agents, its audit log and what was revoked stay.
    func write(_ plan: TrialPlan, replacing: Bool) throws {
        if !replacing, let taken = Self.fileNames.map(path(of:)).first(where: FileSystem.exists) {
            throw CommandFailure.couldNotRun(
                "\(taken) is there already; choose another directory, or give --force")
        }
        guard path(of: TrialPlan.socketFile).utf8.count <= Self.longestSocketPath else {
            throw CommandFailure.couldNotRun(
                "\(directory) is too long a path for the admin socket in it; choose a shorter one")
        }
        let texts = try texts(plan) + issuersTexts()
        for name in [TrialPlan.socketDirectory, TrialPlan.stateDirectory] {
            try FileSystem.makeDirectory(path(of: name))
        }
        for (name, text) in texts {
            try FileSystem.write(text, to: path(of: name), isSecret: name.hasSuffix(".key"))
        }
    }

    /// Makes an agent: its keys, its X509-SVID and its token, each in a file of the agent's folder.
    func makeAgent(_ request: AgentRequest) throws -> TrialAgent {
        let configuration = try loadConfiguration()
        guard let listener = configuration.listeners.first, let trustDomain = listener.trustDomains.first?.name,
            let issuer = configuration.issuers.first(where: { $0.profile == request.binding.issuer.profile })
        else {
            throw CommandFailure.couldNotRun(
                "\(configurationFile) names no issuer of profile \(request.binding.issuer.profile.rawValue); make a new set-up"
            )
        }
        let identity = try AgentIdentity(request, trustDomain: trustDomain)
        let folder = AgentFolder(directory: "\(directory)/agents", name: request.name ?? identity.instance)
        guard folder.hasPlainName else {
            throw CommandFailure.couldNotRun("--name \(folder.name) is not understood; use letters, digits, -, _ and .")
        }
        if let delegator = request.delegator, folder.holds(delegator) {
            throw CommandFailure.couldNotRun(
                "\(folder.name) is the delegator itself; give its sub-agent another --name")
        }
        let now = SystemClock.now
        let key = try Self.generateKey()
        let proofKey = request.binding.needsProofKey ? try request.generateProofKey() : nil
        let authority = try authority(.agentsAuthority, .agentsAuthorityKey)
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: identity.instance, uris: [identity.spiffeID],
                notBefore: now - Self.headStart, notAfter: now + max(.seconds(3600), request.lifetime)))
        let issuerKey = try privateKey(request.binding.issuer.keyFile)
        let chain = try request.delegator.map {
            try DelegationChain(from: $0, signedBy: issuerKey, forging: request.forgery, now: now)
        }
        let token = try AgentToken(
            request, identity: identity, issuer: issuer.issuer, audience: issuer.audiences.first,
            keys: AgentToken.Keys(certificate: certificate.facts.fingerprint, proof: proofKey), chain: chain, now: now
        ).signed(by: issuerKey)
        try FileSystem.makeDirectory("\(directory)/agents")
        try folder.write(
            spiffeID: identity.spiffeID, certificate: certificate, key: key, proofKey: proofKey, token: token)
        return TrialAgent(spiffeID: identity.spiffeID, folder: folder)
    }

    /// The certificate that clients of the gateway trust.
    func loadAuthority() throws -> [Certificate] {
        try Self.read(path(.authority)) { try Certificate.chain(pem: $0.span) }
    }

    // MARK: Parts

    private func path(_ file: File) -> String { path(of: file.rawValue) }

    private func path(of name: String) -> String { "\(directory)/\(name)" }

    private func texts(_ plan: TrialPlan) throws -> [(name: String, text: String)] {
        let now = SystemClock.now
        let validity = (now - Self.headStart)...(now + Self.lifetime)
        let authority = try CertificateAuthority.make(
            commonName: "Sallyport trial authority", validFor: validity)
        let agents = try CertificateAuthority.make(
            commonName: "Sallyport trial agents", uri: "spiffe://\(plan.trustDomain)", validFor: validity)
        let serverKey = try Self.generateKey()
        let server = try authority.issue(
            CertificateRequest(
                publicKey: serverKey.publicKey, commonName: "localhost", dnsNames: ["localhost"],
                ipAddresses: ["127.0.0.1", "::1"], notBefore: validity.lowerBound, notAfter: validity.upperBound,
                extendedKeyUsages: [CertificateRequest.serverAuthentication]))
        let texts: [(File, String)] = [
            (.authority, authority.certificate.pem), (.authorityKey, authority.key.pem),
            (.server, server.pem), (.serverKey, serverKey.pem),
            (.agentsAuthority, agents.certificate.pem), (.agentsAuthorityKey, agents.key.pem),
            (.configuration, plan.configuration),
        ]
        return texts.map { ($0.0.rawValue, $0.1) }
    }

    /// The key and the JWK set of each issuer.
    private func issuersTexts() throws -> [(name: String, text: String)] {
        try TrialIssuer.allCases.flatMap { issuer in
            let key = try PrivateKey.generate(issuer.keyKind)
            return [(issuer.keyFile, key.pem), (issuer.keySetFile, issuer.keySet(of: key))]
        }
    }

    private func loadConfiguration() throws -> GatewayConfiguration {
        do {
            return try GatewayConfiguration.load(file: configurationFile, environment: [:])
        } catch {
            throw CommandFailure.couldNotRun(
                "\(error.faults[0]); make a set-up with sallyport dev init, or repair this one")
        }
    }

    private func authority(_ certificate: File, _ key: File) throws -> CertificateAuthority {
        let chain = try Self.read(path(certificate)) { try Certificate.chain(pem: $0.span) }
        return CertificateAuthority(certificate: chain[0], key: try privateKey(key.rawValue))
    }

    private func privateKey(_ name: String) throws -> PrivateKey {
        try Self.read(path(of: name)) { try PrivateKey(pem: $0.span) }
    }

    private static func generateKey() throws -> PrivateKey {
        try PrivateKey.generate(.ellipticCurve(.p256))
    }

    /// Reads a file; an error about its content becomes a sentence that names it.
    private static func read<Value>(_ path: String, _ parse: ([UInt8]) throws -> Value) throws -> Value {
        let bytes = try FileSystem.read(path)
        do {
            return try parse(bytes)
        } catch {
            throw CommandFailure.couldNotRun("\(path) is not what dev init wrote; make a new set-up")
        }
    }
}
