private import CHDF5
import Glibc

/// A dataset of another program's file.
package struct ForeignDataset: ~Copyable {
  let handle: Handle
  let path: String

  init(adopting handle: consuming Handle, path: String) {
    self.handle = handle
    self.path = path
  }

  /// What the dataset is, or why it is not read; no data are touched, and no other file.
  ///
  /// - Throws: the library's error.
  package func describe() throws(HDF5Error) -> ForeignObject {
    try Library.locked { () throws(HDF5Error) -> ForeignObject in
      let creation = try Handle("H5Dget_create_plist", on: path, closer: H5Pclose) {
        H5Dget_create_plist(handle.id)
      }
      // Before anything else: asked for its size, a virtual dataset may open the files that it is made of.
      if let fault = try Self.wayOut(creation.id, path) {
        return ForeignObject(path, fault: fault, isUnsafe: true)
      }
      if let fault = try Self.filterFault(creation.id, path) {
        return ForeignObject(path, fault: fault)
      }
      var object = ForeignObject(path)
      let type = try Handle("H5Dget_type", on: path, closer: H5Tclose) { H5Dget_type(handle.id) }
      switch ForeignType.element(of: type.id) {
      case .success(let element): object.element = element
      case .failure(let fault): return ForeignObject(path, fault: fault.words)
      }
      object.itemBytes = H5Tget_size(type.id)
      let space = try Handle("H5Dget_space", on: path, closer: H5Sclose) {
        H5Dget_space(handle.id)
      }
      object.shape = try Dataspace.extent(space.id, of: path).shape
      guard object.shape.count <= ForeignObject.maximumAxes else {
        return ForeignObject(path, fault: "it has \(object.shape.count) axes")
      }
      object.storedBytes = Int(clamping: H5Dget_storage_size(handle.id))
      if H5Pget_layout(creation.id) == H5D_CHUNKED {
        var chunk = [hsize_t](repeating: 0, count: object.shape.count)
        try Library.check("H5Pget_chunk", on: path) {
          H5Pget_chunk(creation.id, Int32(chunk.count), &chunk)
        }
        object.chunk = chunk.map { Int(clamping: $0) }
      }
      if let fault = try contentFault(object, space.id) { return ForeignObject(path, fault: fault) }
      return object
    }
  }

  /// Why the data lie elsewhere, or nil.
  private static func wayOut(_ creation: hid_t, _ path: String) throws(HDF5Error) -> String? {
    switch H5Pget_layout(creation) {
    case H5D_VIRTUAL:
      return "it is a virtual dataset, made of other datasets, which are not looked for"
    case H5D_CHUNKED, H5D_COMPACT, H5D_CONTIGUOUS: break
    default: throw .current("H5Pget_layout", on: path)
    }
    return H5Pget_external_count(creation) == 0
      ? nil : "its data lie in another file (external storage), which is not opened"
  }

  /// Why the data can't be unpacked, or nil.
  private static func filterFault(
    _ creation: hid_t,
    _ path: String
  ) throws(HDF5Error) -> String? {
    let count = H5Pget_nfilters(creation)
    if count < 0 { throw .current("H5Pget_nfilters", on: path) }
    for position in 0..<UInt32(count) {
      var flags: UInt32 = 0
      var values = 0
      let filter = H5Pget_filter2(creation, position, &flags, &values, nil, 0, nil, nil)
      if filter < 0 { throw .current("H5Pget_filter2", on: path) }
      // Those of the library alone: a file may name any plugin, and none is ever loaded.
      guard filter <= H5Z_FILTER_SCALEOFFSET, H5Zfilter_avail(filter) > 0 else {
        let name = Self.filterNames[Int(filter)].map { " (\($0))" } ?? ""
        return
          "it is packed with filter \(filter)\(name), which is not available; h5repack -f GZIP=4 IN OUT writes it"
          + " anew where the filter is"
      }
    }
    return nil
  }

  private static let filterNames = [
    32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP",
    32015: "Zstandard", 32026: "Blosc2",
  ]

  /// Why the data can't be all there, or can't be unpacked in little memory; else nil.
  private func contentFault(
    _ object: ForeignObject,
    _ space: hid_t
  ) throws(HDF5Error) -> String? {
    var elements = 1
    for size in object.shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: size)
      guard !overflow, product <= Int.max / max(object.itemBytes, 1) else {
        return "its shape \(object.shape) overflows"
      }
      elements = product
    }
    if elements == 0 { return "its shape \(object.shape) holds nothing" }
    if object.storedBytes == 0 { return "its data were never written" }
    if object.chunk.isEmpty {
      let bytes = elements * object.itemBytes
      return object.storedBytes < bytes
        ? "its shape \(object.shape) needs \(bytes) bytes, the file has \(object.storedBytes)" : nil
    }
    return try chunkFault(object, space)
  }

  private func chunkFault(
    _ object: ForeignObject,
    _ space: hid_t
  ) throws(HDF5Error) -> String? {
    var (bytes, expected) = (object.itemBytes, 1)
    for (size, chunk) in zip(object.shape, object.chunk) {
      guard chunk > 0, bytes <= ForeignObject.maximumChunkBytes / chunk else {
        return "a chunk \(object.chunk) has more than \(ForeignObject.maximumChunkBytes >> 20) MiB;"
          + " h5repack -l CHUNK=… IN OUT makes smaller ones"
      }
      bytes *= chunk
      expected *= (size - 1) / chunk + 1
    }
    var written: hsize_t = 0
    try Library.check("H5Dget_num_chunks", on: path) {
      H5Dget_num_chunks(handle.id, space, &written)
    }
    // What is not there would read as the fill value, which no annotator gave.
    guard written >= expected else {
      return "\(written) of its \(expected) chunks were written: the rest has no values"
    }
    return nil
  }
}
