// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Floors, lowest first; a target may depend on those before it, never on those after:
// CCore <- Messages <- Parties <- {BlindTokens, Storage} <- Services <- Simulation <- the CLIs. Judge, TransparencyLog
// and PointOfDelivery stand on Messages alone.

/// Settings shared by every Swift target of the project.
let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Whether goods can be hashed with intel-ipsec-mb, which is optional: on x86-64, where its header is, unless
/// ACD_WITHOUT_IPSEC_MB is set. Without it all is the same, but slower (docs/adr/0008).
var hasIPSecMB: Bool {
  #if arch(x86_64)
    ["/usr/include", "/usr/local/include"].contains {
      FileManager.default.fileExists(atPath: $0 + "/intel-ipsec-mb.h")
    } && ProcessInfo.processInfo.environment["ACD_WITHOUT_IPSEC_MB"] == nil
  #else
    false
  #endif
}
let ipsecMBTargets: [Target] =
  hasIPSecMB ? [.systemLibrary(name: "CIPSecMB", providers: [.apt(["libipsec-mb-dev"])])] : []
let ipsecMB: [Target.Dependency] = hasIPSecMB ? ["CIPSecMB"] : []
let ipsecMBSettings: [SwiftSetting] = hasIPSecMB ? [.define("ACD_IPSEC_MB")] : []

let package = Package(
  name: "AnonymousCertifiedDelivery",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "acd", targets: ["acd"]),
    .executable(name: "acd-kiosk", targets: ["acd-kiosk"]),
    .library(name: "CCore", targets: ["CCore"]),
    .library(name: "Messages", targets: ["Messages"]),
    .library(name: "Parties", targets: ["Parties"]),
    .library(name: "BlindTokens", targets: ["BlindTokens"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Judge", targets: ["Judge"]),
    .library(name: "TransparencyLog", targets: ["TransparencyLog"]),
    .library(name: "Services", targets: ["Services"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: ipsecMBTargets + [
    // MARK: System libraries
    .systemLibrary(
      name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "CPCSC", pkgConfig: "libpcsclite", providers: [.apt(["libpcsclite-dev"])]),

    // MARK: The C core
    .target(
      name: "CCore", dependencies: ["CSodium"], path: ".",
      exclude: ["CCore/CMakeLists.txt", "CCore/acd.pc.in", "CCore/README.md",
        "CCore/examples", "CCore/ports", "CCore/tests", "CCore/tools"],
      sources: ["CCore"], publicHeadersPath: "include",
      cSettings: [
        .headerSearchPath("CCore"), .enableWarning("all"), .enableWarning("extra"),
        .enableWarning("conversion"), .treatAllWarnings(as: .error),
      ]),

    // MARK: Swift, floor by floor
    .target(name: "Messages", dependencies: ["CCore", "CSodium"], swiftSettings: swiftSettings),
    .target(name: "Parties", dependencies: ["Messages"], swiftSettings: swiftSettings),
    .target(name: "Certification", dependencies: ["Messages", "COpenSSL"], swiftSettings: swiftSettings),
    .target(name: "Cards", dependencies: ["Messages"], swiftSettings: swiftSettings),
    .target(name: "CardReaders", dependencies: ["Cards", "CPCSC"], swiftSettings: swiftSettings),
    .target(
      name: "BlindTokens",
      dependencies: [
        "Parties", "COpenSSL", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "Storage",
      dependencies: ["Parties", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: swiftSettings),
    .target(name: "TransparencyLog", dependencies: ["Messages"], swiftSettings: swiftSettings),
    .target(name: "Judge", dependencies: ["Messages"], swiftSettings: swiftSettings),
    .target(name: "PointOfDelivery", dependencies: ["Messages", "CQREncode", "CPNG"],
      swiftSettings: swiftSettings),
    .target(
      name: "Services",
      dependencies: [
        "CCore", "Messages", "Cards", "Parties", "BlindTokens", "Storage", "TransparencyLog", "COpenSSL", "Certification",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "Crypto", package: "swift-crypto"),
      ] + ipsecMB,
      swiftSettings: swiftSettings + ipsecMBSettings),
    .target(
      name: "Simulation",
      dependencies: ["Messages", "Parties", "BlindTokens", "Storage", "Judge", "Services"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "acd",
      dependencies: [
        "Services", "CardReaders", "PointOfDelivery", "Judge", "Simulation", "TransparencyLog",
        "Certification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "acd-kiosk",
      dependencies: [
        "PointOfDelivery", "CardReaders", "Certification",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),

    // MARK: Tests
    .testTarget(
      name: "MessagesTests", dependencies: ["Messages", "CCore"], swiftSettings: swiftSettings),
    .testTarget(
      name: "CardsTests", dependencies: ["Cards", "PointOfDelivery", "Judge", "Messages", "CCore"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CertificationTests", dependencies: ["Certification", "Messages", "Services", "COpenSSL"],
      swiftSettings: swiftSettings),
    .testTarget(name: "PartiesTests", dependencies: ["Parties"], swiftSettings: swiftSettings),
    .testTarget(
      name: "BlindTokensTests",
      dependencies: [
        "BlindTokens", "Parties", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "StorageTests", dependencies: ["Storage", "Simulation", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "ServicesTests",
      dependencies: [
        "Services", "Storage", "BlindTokens", "TransparencyLog", "Judge",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings + ipsecMBSettings),
    .testTarget(
      name: "TransparencyLogTests", dependencies: ["TransparencyLog", "Messages"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "Storage", "Messages", "Judge"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "JudgeTests", dependencies: ["Judge", "Messages", "CSodium"], swiftSettings: swiftSettings),
    .testTarget(
      name: "PointOfDeliveryTests", dependencies: ["PointOfDelivery", "Messages"],
      swiftSettings: swiftSettings),
  ],
  cLanguageStandard: .c11
)
