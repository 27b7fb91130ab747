// swift-tools-version: 6.2
import PackageDescription

// What the project costs, beside the bare libraries and the tools that people use today. A package of its
// own, so that nobody who uses the project builds it.

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "AnonymousCertifiedDelivery", path: "..")],
  targets: [
    .systemLibrary(
      name: "CBench", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev", "libssl-dev"])]),
    .executableTarget(
      name: "acd-bench",
      dependencies: [
        "CBench",
        .product(name: "CCore", package: "AnonymousCertifiedDelivery"),
        .product(name: "Messages", package: "AnonymousCertifiedDelivery"),
        .product(name: "Parties", package: "AnonymousCertifiedDelivery"),
        .product(name: "BlindTokens", package: "AnonymousCertifiedDelivery"),
        .product(name: "Services", package: "AnonymousCertifiedDelivery"),
        // The program that the load runs as bank, archive and merchant: built beside the benchmark.
        .product(name: "acd", package: "AnonymousCertifiedDelivery"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ]),
  ]
)
