import Foundation

/// Files of test vectors that others made; they are not part of this repository.
enum Vectors {
    /// `SALLYPORT_VECTORS`, or `shared/vectors` beside the checkout.
    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["SALLYPORT_VECTORS"] { return URL(filePath: path) }
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.appending(path: "shared/vectors")
    }()

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(path: path).path(percentEncoded: false))
    }

    static func read<T: Decodable>(_ path: String, as type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: directory.appending(path: path)))
    }
}
