// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "micro",
    dependencies: [.package(name: "sallyport", path: "../..")],
    targets: [
        .executableTarget(
            name: "micro",
            dependencies: [.product(name: "Cores", package: "sallyport")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .strictMemorySafety(),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ])
    ]
)
