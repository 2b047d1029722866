// swift-tools-version: 6.3
import PackageDescription

// The library's sources through a link: what reads a chunk is not public.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "decode",
  dependencies: [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")],
  targets: [
    .systemLibrary(name: "CHDF5", path: "Library/CHDF5", pkgConfig: "hdf5"),
    .systemLibrary(name: "CDeflate", path: "Library/CDeflate", pkgConfig: "libdeflate"),
    .target(
      name: "HDF5",
      dependencies: ["CHDF5"],
      path: "Library/HDF5",
      swiftSettings: settings
    ),
    .target(
      name: "Relabel",
      dependencies: ["HDF5", "CDeflate", .product(name: "Crypto", package: "swift-crypto")],
      path: "Library/Relabel",
      swiftSettings: settings
    ),
    .executableTarget(
      name: "Decode",
      dependencies: ["Relabel", "HDF5"],
      swiftSettings: settings
    ),
  ],
  swiftLanguageModes: [.v6]
)
