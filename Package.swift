// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

/// The four floors of the house.
///
/// A target names only targets of its own floor or of floors below it.
enum Floor: String {
    case system = "System"
    case `protocol` = "Protocol"
    case enforcement = "Enforcement"
    case gateway = "Gateway"
}

func room(_ name: String, on floor: Floor, over dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(floor.rawValue)/\(name)", swiftSettings: settings)
}

func tests(of name: String, with dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "sallyport",
    products: [
        .executable(name: "sallyport", targets: ["sallyport"]),
        // For the packages in Fuzz and Benchmarks/Micro, which measure and harass what is built here.
        .library(name: "FuzzHarnesses", targets: ["FuzzHarnesses"]),
        .library(
            name: "Cores",
            targets: [
                "Bytes", "JSON", "Cryptography", "Identity", "Delegation", "Tokens", "Possession", "Revocation",
                "Control",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System: C libraries and the kernel.
        .systemLibrary(
            name: "COpenSSL", path: "Sources/System/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CNghttp2", path: "Sources/System/CNghttp2", pkgConfig: "libnghttp2",
            providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Sources/System/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CSQLite", path: "Sources/System/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]
        ),
        .systemLibrary(
            name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CShims", dependencies: ["COpenSSL", "CCurl"], path: "Sources/System/CShims"),
        room("Reactor", on: .system, over: ["CShims"]),

        // Protocol: pure state machines over bytes.
        room("Bytes", on: .protocol),
        room("JSON", on: .protocol, over: ["Bytes"]),
        room("Compression", on: .protocol, over: ["Bytes", "CZlib"]),
        room("Cryptography", on: .protocol, over: ["Bytes", "COpenSSL", "CShims"]),
        room("TLS", on: .protocol, over: ["Bytes", "Cryptography", "COpenSSL", "CShims"]),
        room("HTTP", on: .protocol, over: ["Bytes"]),
        room("HTTP1", on: .protocol, over: ["Bytes", "HTTP"]),
        room("HTTP2", on: .protocol, over: ["Bytes", "HTTP", "CNghttp2"]),
        room("ProxyProtocol", on: .protocol, over: ["Bytes"]),

        // Enforcement: the decision.
        room("Identity", on: .enforcement, over: ["Bytes", "Cryptography", "TLS"]),
        room("Delegation", on: .enforcement, over: ["Bytes", "JSON", "Cryptography", "Identity"]),
        room("Tokens", on: .enforcement, over: ["Bytes", "JSON", "Cryptography", "Identity", "Delegation"]),
        room("Possession", on: .enforcement, over: ["Bytes", "JSON", "Cryptography", "Identity", "Tokens"]),
        room(
            "Revocation", on: .enforcement,
            over: ["Bytes", "JSON", "Compression", "Cryptography", "TLS", "Identity", "Delegation", "Tokens"]),
        room("Limits", on: .enforcement, over: ["Bytes"]),
        room(
            "Policy", on: .enforcement,
            over: [
                "Bytes", "HTTP", "Cryptography", "Identity", "Delegation", "Tokens", "Possession", "Revocation",
                "Limits",
            ]),
        room("Audit", on: .enforcement, over: ["Bytes", "Cryptography", "JSON"]),

        // Gateway: the composition.
        room(
            "Configuration", on: .gateway,
            over: [
                "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "ProxyProtocol", "Identity", "Delegation", "Tokens",
                "Possession", "Revocation", "Limits", "Policy", "Audit", yams,
            ]),
        room(
            "Exchange", on: .gateway,
            over: [
                "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "Identity", "Delegation", "Tokens", "Possession",
                "Revocation", "Limits", "Policy", "Audit", "Configuration",
            ]),
        room("Upstream", on: .gateway, over: ["Reactor", "Bytes", "Cryptography", "TLS", "Configuration"]),
        room(
            "Control", on: .gateway,
            over: [
                "Reactor", "CCurl", "CShims", "CSQLite", "Bytes", "JSON", "Cryptography", "Identity", "Tokens",
                "Revocation",
            ]),
        room(
            "Server", on: .gateway,
            over: [
                "Reactor", "CShims", "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "HTTP1", "HTTP2", "ProxyProtocol",
                "Identity", "Delegation", "Tokens", "Possession", "Revocation", "Limits", "Policy", "Audit",
                "Configuration",
                "Control", "Exchange", "Upstream", logging,
            ]),
        .executableTarget(
            name: "sallyport",
            dependencies: [
                "Reactor", "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "HTTP1", "Identity", "Delegation", "Tokens",
                "Possession", "Revocation", "Limits", "Policy", "Audit", "Configuration", "Exchange", "Server",
                argumentParser,
                logging, yams,
            ],
            path: "Sources/sallyport", swiftSettings: settings),

        // What the tests of several rooms share: credentials and their owners.
        .target(
            name: "Support", dependencies: ["Bytes", "Cryptography", "TLS", "Identity", "Delegation", "Tokens"],
            path: "Tests/Support", swiftSettings: settings),
        // What is fuzzed, and what must hold of it: for libFuzzer in Fuzz, and for the tests, which replay its corpora.
        .target(
            name: "FuzzHarnesses",
            dependencies: [
                "Support", "Bytes", "JSON", "Compression", "Cryptography", "TLS", "HTTP", "HTTP1", "HTTP2", "Identity",
                "Delegation", "Tokens", "Possession", "Revocation",
            ],
            path: "Fuzz/Harnesses", swiftSettings: settings),
        tests(of: "FuzzHarnesses", with: ["Bytes"]),
        .testTarget(name: "HouseTests", swiftSettings: settings),
        tests(of: "Reactor"),
        tests(of: "Bytes"),
        tests(of: "JSON", with: ["Bytes"]),
        tests(of: "Cryptography", with: ["Support", "Bytes", "JSON"]),
        tests(of: "TLS", with: ["Bytes", "Cryptography", "COpenSSL"]),
        tests(of: "HTTP", with: ["Bytes"]),
        tests(of: "HTTP1", with: ["Bytes", "HTTP"]),
        tests(of: "HTTP2", with: ["Bytes", "HTTP", "CNghttp2"]),
        tests(of: "ProxyProtocol", with: ["Bytes"]),
        tests(of: "Compression", with: ["Bytes"]),
        tests(of: "Identity", with: ["Support", "Bytes", "Cryptography", "TLS"]),
        tests(of: "Delegation", with: ["Support", "Bytes", "JSON", "Cryptography", "Identity", "Tokens"]),
        tests(of: "Tokens", with: ["Support", "Bytes", "JSON", "Cryptography", "Identity", "Delegation"]),
        tests(of: "Possession", with: ["Support", "Bytes", "Cryptography", "Identity", "Tokens"]),
        tests(
            of: "Revocation",
            with: [
                "Support", "Bytes", "JSON", "Compression", "Cryptography", "TLS", "Identity", "Delegation", "Tokens",
            ]),
        tests(of: "Limits", with: ["Bytes"]),
        tests(
            of: "Policy",
            with: [
                "Support", "Bytes", "JSON", "HTTP", "Cryptography", "TLS", "Identity", "Delegation", "Tokens",
                "Possession",
                "Revocation", "Limits",
            ]),
        tests(of: "Audit", with: ["Bytes", "Cryptography", "JSON"]),
        tests(
            of: "Configuration",
            with: [
                "Support", "Bytes", "Cryptography", "TLS", "ProxyProtocol", "Identity", "Delegation", "Tokens",
                "Possession", "Revocation", "Limits", "Policy", "Audit",
            ]),
        tests(
            of: "Exchange",
            with: [
                "Support", "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "Identity", "Delegation", "Tokens",
                "Possession", "Revocation", "Limits", "Policy", "Audit", "Configuration",
            ]),
        tests(
            of: "Server",
            with: [
                "Support", "Reactor", "Bytes", "JSON", "Cryptography", "TLS", "Identity", "Tokens", "Possession",
                "Revocation", "Policy", "Audit", "Configuration", "Control", "Exchange", logging,
            ]),
        tests(of: "Upstream", with: ["Reactor", "Bytes", "Cryptography", "TLS", "Configuration"]),
        tests(
            of: "Control",
            with: ["Support", "Reactor", "Bytes", "JSON", "Cryptography", "TLS", "Identity", "Tokens", "Revocation"]),
        tests(
            of: "sallyport",
            with: [
                "Support", "Bytes", "JSON", "Cryptography", "TLS", "HTTP", "Identity", "Delegation", "Tokens",
                "Possession",
                "Policy", "Configuration", "Exchange",
            ]),
    ]
)
