import ArgumentParser
import Configuration
import Cryptography
import TLS

/// How a command finds the running gateway.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the gateway is administered: unix:PATH or host:port (SALLYPORT_ADMIN).", valueName: "address"))
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "The gateway's configuration, whose admin.address is used (SALLYPORT_CONFIG).", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("Over TCP: the operator's certificate, as PEM (SALLYPORT_ADMIN_CERT).", valueName: "file"))
    var adminCert: String?

    @Option(help: ArgumentHelp("Over TCP: its private key, as PEM (SALLYPORT_ADMIN_KEY).", valueName: "file"))
    var adminKey: String?

    @Option(
        help: ArgumentHelp(
            "Over TCP: the authorities of the gateway's certificate, as PEM (SALLYPORT_ADMIN_CA).", valueName: "file"))
    var adminCa: String?

    /// A client of the gateway that the options name; connects to nothing yet.
    func client() throws -> AdminClient {
        let address = try address()
        guard case .ip = address else { return AdminClient(address: address, credentials: nil) }
        let files = try filesOfTLS()
        let authorities = try CertificateFile.chain(files.authorities)
        let chain = try CertificateFile.chain(files.chain)
        let keyFile = files.key
        let bytes = try FileSystem.read(keyFile)
        let key: PrivateKey
        do throws(KeyError) { key = try PrivateKey(pem: bytes.span) } catch {
            throw CommandFailure.couldNotRun("\(keyFile) holds no private key that can be used; write one PEM key")
        }
        return AdminClient(
            address: address,
            credentials: AdminClient.Credentials(
                authorities: authorities, identity: ServerCertificate(chain: chain, key: key)))
    }

    /// The options of the command line as they were given, for a command that can be pasted.
    var words: String {
        var words: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { words += [name, ShellWord.quoted(TerminalText.printable(value))] }
        }
        add("--admin", admin)
        add("--config", admin == nil ? config : nil)
        add("--admin-cert", adminCert)
        add("--admin-key", adminKey)
        add("--admin-ca", adminCa)
        return words.joined(separator: " ")
    }

    /// The files that TLS needs; where some are not said, an error that names all of those.
    private func filesOfTLS() throws -> (authorities: String, chain: String, key: String) {
        let authorities = EnvironmentTwin.value(adminCa, "SALLYPORT_ADMIN_CA")
        let chain = EnvironmentTwin.value(adminCert, "SALLYPORT_ADMIN_CERT")
        let key = EnvironmentTwin.value(adminKey, "SALLYPORT_ADMIN_KEY")
        guard let authorities, let chain, let key else {
            let options = [("--admin-ca", authorities), ("--admin-cert", chain), ("--admin-key", key)]
            let missing = options.filter { $0.1 == nil }.map(\.0).joined(separator: ", ")
            throw CommandFailure.couldNotRun(
                "the gateway is administered over TCP, and \(missing) \(missing.contains(",") ? "are" : "is") missing; "
                    + "give the operator's certificate and key, and the authorities of the gateway's certificate")
        }
        return (authorities, chain, key)
    }

    /// The command line comes first, and there the address.
    private func address() throws -> ListenAddress {
        if let admin { return try Self.address(admin) }
        if let config { return try AdminAddress.read(fromConfiguration: config) }
        if let admin = EnvironmentTwin.value(nil, "SALLYPORT_ADMIN") { return try Self.address(admin) }
        if let config = EnvironmentTwin.value(nil, "SALLYPORT_CONFIG") {
            return try AdminAddress.read(fromConfiguration: config)
        }
        throw CommandFailure.couldNotRun(
            "it is not known where the gateway is administered; give --admin ADDRESS or --config FILE")
    }

    private static func address(_ text: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw CommandFailure.couldNotRun("\(text) is no address; write unix:PATH or host:port")
        }
        return address
    }
}
