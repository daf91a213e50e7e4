import Configuration
import Yams

/// Where a gateway is administered, by its configuration.
///
/// Nothing else of the file is looked at: somebody who has to revoke must not be kept from it by a fault in a route, or by a
/// key that only the gateway may read.
enum AdminAddress {
    /// Reads `admin.address`; the path of a Unix socket begins beside the file.
    static func read(fromConfiguration file: String) throws -> ListenAddress {
        guard FileSystem.exists(file) else {
            throw CommandFailure.couldNotRun("there is no file \(file); give the path of a configuration")
        }
        let text = String(decoding: try FileSystem.read(file), as: UTF8.self)
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw CommandFailure.couldNotRun("\(file) is not YAML that can be read; give --admin ADDRESS instead")
        }
        guard let address = root?.mapping?["admin"]?.mapping?["address"]?.string else {
            throw CommandFailure.couldNotRun(
                "\(file) has no admin.address; write \"unix:run/admin.sock\" there and restart the gateway")
        }
        guard let address = ListenAddress(resolved(address, beside: file)) else {
            throw CommandFailure.couldNotRun("admin.address in \(file) is not understood; give --admin ADDRESS instead")
        }
        return address
    }

    private static func resolved(_ address: String, beside file: String) -> String {
        let scheme = "unix:"
        guard address.hasPrefix(scheme), !address.hasPrefix(scheme + "/"), let slash = file.lastIndex(of: "/") else {
            return address
        }
        return scheme + file[...slash] + address.dropFirst(scheme.count)
    }
}
