// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),  // SE-0335
  .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
  .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
/// Sockets and HTTP/1.1, without Foundation.
let http: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1"].map {
  .product(name: $0, package: "swift-nio")
}
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "relabel-hdf5",
  products: [
    .library(name: "Relabel", targets: ["Relabel", "RelabelWriting"]),
    .library(name: "RelabelPacking", targets: ["RelabelPacking"]),
    .library(name: "RelabelVerification", targets: ["RelabelVerification"]),
    .library(name: "RelabelC", type: .dynamic, targets: ["RelabelC"]),
    .executable(name: "relabel", targets: ["RelabelTool"]),
    .executable(name: "relabel-pack", targets: ["RelabelPackTool"]),
    .executable(name: "relabel-verify", targets: ["RelabelVerifyTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // C libraries: a module map and the macros Swift cannot import, nothing else.
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "CDeflate",
      pkgConfig: "libdeflate",
      providers: [.apt(["libdeflate-dev"])]
    ),
    .systemLibrary(
      name: "CArchive",
      pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"])]
    ),

    // From the bytes up: each target sees only those above it in this list.
    // Every fact of the format, once: no HDF5, no files, no threads.
    .target(
      name: "RelabelFormat",
      dependencies: [crypto],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // Files, folders and threads: what the house asks of the operating system.
    .target(
      name: "RelabelSystem",
      dependencies: ["RelabelFormat"],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // Work in a process of its own; knows no shard.
    .target(
      name: "HelperProcesses",
      dependencies: ["RelabelFormat", "RelabelSystem"],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    .target(
      name: "HDF5",
      dependencies: ["RelabelFormat", "CHDF5"],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    .target(
      name: "Relabel",
      dependencies: ["RelabelFormat", "RelabelSystem", "CDeflate"],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // What needs the HDF5 library: writing, and reading what is not sound.
    .target(
      name: "RelabelWriting",
      dependencies: ["Relabel", "RelabelFormat", "HDF5"],
      swiftSettings: settings
    ),
    .target(
      name: "AnnotatorOutputs",
      dependencies: ["Relabel", "RelabelFormat", "CArchive"],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // rules.md is a link to the document in spec/, so that `explain` says what the document says.
    .target(
      name: "RelabelVerification",
      dependencies: ["HelperProcesses", "RelabelFormat", "Relabel", "RelabelWriting", "HDF5"],
      exclude: ["README.md"],
      resources: [.embedInCode("rules.md")],
      swiftSettings: settings
    ),
    // Pages of a program on its own machine; knows no shard.
    .target(
      name: "RelabelServer",
      dependencies: ["RelabelFormat", "RelabelSystem"] + http,
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // Style and scripts of pages, which the program carries.
    .target(name: "PageAssets", exclude: ["Files"]),
    .target(
      name: "RelabelPages",
      dependencies: [
        "HelperProcesses", "PageAssets", "Relabel", "RelabelFormat", "RelabelServer",
        "RelabelVerification",
      ],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    .target(
      name: "RelabelPacking",
      dependencies: [
        "AnnotatorOutputs", "HelperProcesses", "Relabel", "RelabelWriting", "HDF5",
        "RelabelVerification",
      ],
      exclude: ["README.md"],
      swiftSettings: settings
    ),
    // The C interface: a dynamic library that carries the Swift runtime, so that a program without
    // a toolchain can load it.
    .target(
      name: "RelabelC",
      // Named though Relabel brings it: or a release build may keep what was compiled with the old one.
      dependencies: ["Relabel", "RelabelFormat"],
      exclude: ["README.md", "relabel.h", "exports.map"],
      swiftSettings: settings,
      linkerSettings: [
        .unsafeFlags([
          "-static-stdlib", "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker", "--gc-sections",
          "-Xlinker", "--strip-all", "-Xlinker",
          "-soname=libRelabelC.so", "-Xlinker",
          "--version-script=\(Context.packageDirectory)/Sources/RelabelC/exports.map",
        ])
      ]
    ),
    .target(
      name: "RelabelCommands",
      dependencies: [
        "HelperProcesses", "RelabelPacking", "RelabelPages", "RelabelServer", "RelabelVerification",
        "Relabel", argumentParser,
      ],
      swiftSettings: settings
    ),

    // One file each: the entry point.
    .executableTarget(
      name: "RelabelTool",
      dependencies: ["RelabelCommands", argumentParser],
      swiftSettings: settings
    ),
    .executableTarget(
      name: "RelabelPackTool",
      dependencies: ["RelabelCommands", argumentParser],
      swiftSettings: settings
    ),
    .executableTarget(
      name: "RelabelVerifyTool",
      dependencies: ["RelabelCommands", argumentParser],
      swiftSettings: settings
    ),

    // Tools of this checkout and no products. They see what is `package`, which a package of their own
    // would not, and that would build the whole library a second time.
    .executableTarget(
      name: "relabel-conformance",
      dependencies: ["Relabel", "RelabelWriting", "RelabelPacking"],
      path: "tools/conformance/adapter",
      swiftSettings: settings
    ),

    .executableTarget(
      name: "relabel-benchmark",
      dependencies: ["Relabel", "HDF5"],
      path: "tools/benchmarks/library",
      swiftSettings: settings
    ),

    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "HDF5Tests",
      dependencies: ["RelabelFormat", "HDF5", "TestSupport"],
      swiftSettings: settings
    ),
    .testTarget(
      name: "RelabelTests",
      dependencies: ["Relabel", "RelabelWriting", "HDF5", "TestSupport"],
      swiftSettings: settings
    ),
    .testTarget(
      name: "AnnotatorOutputsTests",
      dependencies: ["AnnotatorOutputs", "Relabel"],
      exclude: ["Fixtures"],
      swiftSettings: settings
    ),
    .testTarget(
      name: "PackingTests",
      dependencies: [
        "RelabelPacking", "RelabelVerification", "AnnotatorOutputs", "Relabel", "TestSupport",
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "PagesTests",
      dependencies: [
        "RelabelPages", "RelabelServer", "RelabelPacking", "Relabel", "TestSupport",
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "VerificationTests",
      dependencies: [
        "HelperProcesses", "RelabelVerification", "RelabelPacking", "Relabel", "RelabelWriting",
        "HDF5",
        "TestSupport",
      ],
      swiftSettings: settings
    ),
  ],
  swiftLanguageModes: [.v6]
)
