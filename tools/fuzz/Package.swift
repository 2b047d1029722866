// swift-tools-version: 6.3
import PackageDescription

// The library's sources under the name of this package, through a link: what the fuzzer reaches is
// not public. Built with `--sanitize fuzzer`; of several sanitizers the last would win, so that both
// are asked for here.
let sanitizers = "-sanitize=fuzzer,address"
let settings: [SwiftSetting] = [
  .unsafeFlags([sanitizers, "-enable-testing"]),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name,
    dependencies: dependencies,
    path: "Library/\(name)",
    resources: name == "RelabelVerification" ? [.embedInCode("rules.md")] : [],
    swiftSettings: settings
  )
}

func systemLibrary(_ name: String, _ package: String) -> Target {
  .systemLibrary(name: name, path: "Library/\(name)", pkgConfig: package)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "fuzz",
  dependencies: [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")],
  targets: [
    systemLibrary("CHDF5", "hdf5"),
    systemLibrary("CDeflate", "libdeflate"),
    systemLibrary("CArchive", "libarchive"),
    library("RelabelFormat", [crypto]),
    library("RelabelSystem", ["RelabelFormat"]),
    library("HelperProcesses", ["RelabelFormat", "RelabelSystem"]),
    library("HDF5", ["RelabelFormat", "CHDF5"]),
    library("Relabel", ["RelabelFormat", "RelabelSystem", "CDeflate"]),
    library("RelabelWriting", ["Relabel", "HDF5"]),
    library("AnnotatorOutputs", ["Relabel", "CArchive"]),
    library("RelabelVerification", ["HelperProcesses", "RelabelFormat", "Relabel", "RelabelWriting", "HDF5"]),
    library(
      "RelabelPacking",
      ["AnnotatorOutputs", "HelperProcesses", "Relabel", "RelabelWriting", "HDF5", "RelabelVerification"]
    ),
    // libFuzzer brings the entry point.
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "AnnotatorOutputs", "HDF5", "HelperProcesses", "RelabelPacking", "Relabel", "RelabelFormat", "RelabelVerification",
      ],
      swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
      linkerSettings: [.unsafeFlags([sanitizers])]
    ),
  ],
  swiftLanguageModes: [.v6]
)
