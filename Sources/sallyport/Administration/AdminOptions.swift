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
        let authorities = try Self.certificates(
            EnvironmentTwin.required(adminCa, "--admin-ca", "SALLYPORT_ADMIN_CA"))
        let chain = try Self.certificates(
            EnvironmentTwin.required(adminCert, "--admin-cert", "SALLYPORT_ADMIN_CERT"))
        let keyFile = try EnvironmentTwin.required(adminKey, "--admin-key", "SALLYPORT_ADMIN_KEY")
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

    private static func certificates(_ file: String) throws -> [Certificate] {
        let bytes = try FileSystem.read(file)
        do throws(CertificateError) { return try Certificate.chain(pem: bytes.span) } catch {
            throw CommandFailure.couldNotRun("\(file) holds no certificate that can be read; write PEM")
        }
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
