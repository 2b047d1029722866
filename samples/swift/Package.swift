// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "labels",
  dependencies: [
    .package(name: "relabel-hdf5", path: "../..")  // or .package(url: "https://…/relabel-hdf5", branch: "main")
  ],
  targets: [
    .executableTarget(
      name: "labels",
      dependencies: [
        .product(name: "Relabel", package: "relabel-hdf5"),  // reads and pools
        .product(name: "RelabelPacking", package: "relabel-hdf5"),  // DatasetWriter, Packer
        .product(name: "RelabelVerification", package: "relabel-hdf5"),  // Verifier
      ]
    )
  ]
)
