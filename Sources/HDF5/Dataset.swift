package import CHDF5
package import RelabelFormat

/// A dataset of an open file, read and written by whole raw chunks.
package struct Dataset: ~Copyable, Object {
  private let handle: Handle
  package let name: String

  package var id: hid_t { handle.id }

  init(adopting handle: consuming Handle, name: String) {
    self.handle = handle
    self.name = name
  }

  /// Closes the dataset and reports what `deinit` would swallow.
  ///
  /// Calls `H5Dclose`.
  package consuming func close() throws(HDF5Error) {
    let name = name
    try handle.close("H5Dclose", on: name)
  }

  /// Grows the first axis to `rows`.
  ///
  /// Calls `H5Dset_extent`.
  package func grow(rows: Int, of shape: [Int]) throws(HDF5Error) {
    var extent = shape.map(hsize_t.init)
    extent[0] = hsize_t(rows)
    try Library.check("H5Dset_extent", on: name) { H5Dset_extent(id, extent) }
  }

  /// Writes one chunk that has been through the filters already.
  ///
  /// Calls `H5Dwrite_chunk`.
  ///
  /// - Parameters:
  ///   - bytes: the filtered chunk.
  ///   - skipped: bit i means that filter i was not applied.
  ///   - offset: the chunk's first element, in elements along each axis.
  /// - Throws: the library's refusal, a full disk included.
  package func writeChunk(
    _ bytes: [UInt8],
    skipped: UInt32 = 0,
    at offset: [Int]
  ) throws(HDF5Error) {
    let offset = offset.map(hsize_t.init)
    try Library.check("H5Dwrite_chunk", on: name) {
      bytes.withUnsafeBytes { H5Dwrite_chunk(id, 0, skipped, offset, $0.count, $0.baseAddress) }
    }
  }

  /// Bytes of a stored chunk, or 0 when it was never written.
  ///
  /// Calls `H5Dget_chunk_storage_size`, and `H5Dget_chunk_info_by_coord` for a chunk that is missing.
  package func storedBytes(at offset: [Int]) throws(HDF5Error) -> Int {
    let offset = offset.map(hsize_t.init)
    var size: hsize_t = 0
    try Library.locked { () throws(HDF5Error) in
      guard H5Dget_chunk_storage_size(id, offset, &size) < 0 else { return }
      let error = HDF5Error.current("H5Dget_chunk_storage_size", on: name)
      // 1.10 refuses a missing chunk, newer libraries answer 0. Only then look at the whole index.
      var (mask, address): (UInt32, haddr_t) = (0, 0)
      guard H5Dget_chunk_info_by_coord(id, offset, &mask, &address, &size) >= 0,
        address == chdf5_undefined_address()
      else { throw error }
      size = 0
    }
    guard let size = Int(exactly: size) else {
      throw HDF5Error(call: "H5Dget_chunk_storage_size", object: name, "size \(size) is absurd")
    }
    return size
  }

  /// Reads one chunk as stored.
  ///
  /// Calls `H5Dread_chunk`.
  /// - Parameters:
  ///   - offset: the chunk's first element.
  ///   - limit: the most bytes a stored chunk may have; a larger one is not read.
  /// - Returns: the chunk's bytes, or why there are none.
  /// - Throws: the library's refusal.
  package func readChunk(at offset: [Int], limit: Int) throws(HDF5Error) -> RawChunk {
    try Library.locked { () throws(HDF5Error) -> RawChunk in
      let size = try storedBytes(at: offset)
      if size == 0 { return .missing }
      if size > limit { return .oversized(bytes: size) }
      let offset = offset.map(hsize_t.init)
      var mask: UInt32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = H5Dread_chunk(id, 0, offset, &mask, buffer.baseAddress) < 0 ? 0 : size
      }
      if bytes.count != size { throw .current("H5Dread_chunk", on: name) }
      return .stored(bytes: bytes, skippedFilters: mask)
    }
  }
}

extension File {
  /// Creates a chunked dataset at the root, with compact attributes and without times.
  ///
  /// Calls `H5Dcreate2`.
  package func createDataset(
    _ dataset: String,
    _ description: DatasetDescription
  ) throws(HDF5Error) -> Dataset {
    let creation = try Handle("H5Pcreate", on: dataset, closer: H5Pclose) {
      H5Pcreate(chdf5_class_dataset_create())
    }
    let properties = creation.id
    let chunk = description.chunk.map(hsize_t.init)
    try Library.check("H5Pset_chunk", on: dataset) {
      H5Pset_chunk(properties, Int32(chunk.count), chunk)
    }
    for filter in description.filters {
      try Library.check("H5Pset_filter", on: dataset) {
        switch filter {
        case .shuffle: H5Pset_shuffle(properties)
        // libdeflate has levels above 9, the property has not; a reader needs neither.
        case .deflate(let level): H5Pset_deflate(properties, UInt32(min(level, 9)))
        case .fletcher32: H5Pset_fletcher32(properties)
        case .other: -1
        }
      }
    }
    try Library.check("H5Pset_attr_phase_change", on: dataset) {
      H5Pset_attr_phase_change(properties, File.compactLimit, 0)
    }
    try Library.check("H5Pset_obj_track_times", on: dataset) {
      H5Pset_obj_track_times(properties, false)
    }
    let type = try description.type.makeDatatype()
    if let fill = description.fillValue {
      try Library.check("H5Pset_fill_value", on: dataset) {
        H5Pset_fill_value(properties, type.id, fill)
      }
    }
    let space = try Dataspace.make(description.shape, maximum: description.maximumShape)
    let handle = try Handle("H5Dcreate2", on: dataset, closer: H5Dclose) {
      H5Dcreate2(id, dataset, type.id, space.id, 0, properties, 0)
    }
    return Dataset(adopting: handle, name: dataset)
  }

  /// Opens a dataset of the root group.
  ///
  /// Calls `H5Dopen2`.
  package func openDataset(_ dataset: String) throws(HDF5Error) -> Dataset {
    let handle = try Handle("H5Dopen2", on: dataset, closer: H5Dclose) { H5Dopen2(id, dataset, 0) }
    return Dataset(adopting: handle, name: dataset)
  }
}
