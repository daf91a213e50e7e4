import Cryptography
import TLS

/// An agent of a trial set-up.
struct TrialAgent {
    /// Who it is.
    let spiffeID: String
    /// Where its files are.
    let folder: AgentFolder
}

/// The folder of an agent: `svid.pem`, `svid.key`, `spiffe-id`, `token`, and `proof.key` where its token is bound to one.
struct AgentFolder {
    /// The directory of all agents.
    let directory: String
    /// The agent's name.
    let name: String

    /// The folder itself.
    var path: String { "\(directory)/\(name)" }

    /// The folder that `agent` means: a name under `setup`, or a path.
    init(of agent: String, in setup: TrialSetup) {
        if let slash = agent.lastIndex(of: "/") {
            self.init(directory: String(agent[..<slash]), name: String(agent[agent.index(after: slash)...]))
        } else {
            self.init(directory: "\(setup.directory)/agents", name: agent)
        }
    }

    init(directory: String, name: String) {
        self.directory = directory
        self.name = name
    }

    /// Whether the name can be a file's name and cannot leave the directory.
    var hasPlainName: Bool {
        !name.isEmpty && name.utf8.count <= 128 && name.first != "."
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    /// Writes the files; the proof key of an agent that was here before does not stay.
    func write(spiffeID: String, certificate: Certificate, key: PrivateKey, proofKey: PrivateKey?, token: String) throws
    {
        try FileSystem.makeDirectory(path)
        try FileSystem.write(spiffeID + "\n", to: "\(path)/spiffe-id", isSecret: false)
        try FileSystem.write(certificate.pem, to: "\(path)/svid.pem", isSecret: false)
        try FileSystem.write(key.pem, to: "\(path)/svid.key", isSecret: true)
        if let proofKey {
            try FileSystem.write(proofKey.pem, to: proofKeyFile, isSecret: true)
        } else {
            try FileSystem.remove(proofKeyFile)
        }
        try FileSystem.write(token + "\n", to: "\(path)/token", isSecret: true)
    }

    /// The certificate and its key.
    func readIdentity() throws -> ServerCertificate {
        let chain = try FileSystem.read("\(path)/svid.pem")
        let key = try FileSystem.read("\(path)/svid.key")
        do {
            return ServerCertificate(chain: try Certificate.chain(pem: chain.span), key: try PrivateKey(pem: key.span))
        } catch {
            throw CommandFailure.couldNotRun("\(path) does not hold what dev agent wrote; make the agent anew")
        }
    }

    /// The key of its proofs, or nothing where its token is bound to none.
    func readProofKey() throws -> PrivateKey? {
        guard FileSystem.exists(proofKeyFile) else { return nil }
        let pem = try FileSystem.read(proofKeyFile)
        do {
            return try PrivateKey(pem: pem.span)
        } catch {
            throw CommandFailure.couldNotRun("\(proofKeyFile) is not what dev agent wrote; make the agent anew")
        }
    }

    private var proofKeyFile: String { "\(path)/proof.key" }

    /// The token, without the newline at its end.
    func readToken() throws -> String {
        let bytes = try FileSystem.read("\(path)/token")
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }
}
