import Relabel

/// HDF5 files of other programs: arrays of all images, or arrays for each image under its name.
///
/// Known names are those of `.safetensors` files (`ArrayRoles`); others are chosen by type and shape where that leaves
/// no choice, or by `--array`. A helper process reads the file (`ForeignArrays`), and what it sends is spooled as the
/// members of an `.npz` file are. Facts: the HDF5 file format, and what h5py, PyTables, MATLAB and Keras make of it.
struct HDF5Arrays: Dialect {
  let name = "HDF5 arrays"
  let word = "hdf"
  let extensions = [".h5", ".hdf5"]
  let needsOwnFile = true

  /// What an HDF5 file begins with.
  static let signature: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1A] + Array("\n".utf8)

  /// What a choice of arrays fails with for another file.
  static var notOne: RelabelError {
    RelabelError(.usage, "--array chooses among the arrays of an HDF5 file, and this is none")
  }

  func evidence(in head: [UInt8]) -> String? {
    head.starts(with: Self.signature) ? "an HDF5 signature" : nil
  }

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    let head = try region.slice(0, min(region.count, 64)).read(limit: 64, path: path)
    if GitLFSPointer.begins(head) { throw RelabelError(.invalidInput, GitLFSPointer.fault) }
    guard let foreign = options.foreign else {
      throw RelabelError(
        .usage,
        "an HDF5 file of another program is read by a helper process, and there is no program to start as one"
      )
    }
    let listing = try HDF5Listing(path, foreign)
    let reading = HDF5Reading(path: path, foreign: foreign, listing: listing, options: options)
    switch try HDF5Choice(listing, options) {
    case .maps(let scores, let ids, let keys): return try reading.maps(scores, ids, keys, &spool)
    case .images(let images): return try reading.images(images, &spool)
    }
  }
}
