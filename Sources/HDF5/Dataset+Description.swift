internal import CHDF5
package import RelabelFormat

extension Dataset {
  /// What the dataset is made of, read from the file without touching its data.
  ///
  /// Calls `H5Dget_space`, `H5Dget_type` and the getters of its creation property list.
  package func describe() throws(HDF5Error) -> DatasetDescription {
    try Library.locked { () throws(HDF5Error) -> DatasetDescription in
      let space = try Handle("H5Dget_space", on: name, closer: H5Sclose) { H5Dget_space(id) }
      let (shape, maximum) = try Dataspace.extent(space.id, of: name)
      let type = try Handle("H5Dget_type", on: name, closer: H5Tclose) { H5Dget_type(id) }
      let creation = try Handle("H5Dget_create_plist", on: name, closer: H5Pclose) {
        H5Dget_create_plist(id)
      }
      let element = ElementType(describing: type.id)
      var description = DatasetDescription(
        type: element,
        shape: shape,
        maximumShape: maximum,
        chunk: [],
        filters: try filters(of: creation.id),
        fillValue: try fillValue(of: creation.id, element, type.id)
      )
      description.storage = try storage(of: creation.id)
      var fillTime = H5D_FILL_TIME_ERROR
      try Library.check("H5Pget_fill_time", on: name) { H5Pget_fill_time(creation.id, &fillTime) }
      description.writesFillValue = fillTime != H5D_FILL_TIME_NEVER
      if description.storage == .chunked {
        var chunk = [hsize_t](repeating: 0, count: shape.count)
        try Library.check("H5Pget_chunk", on: name) {
          H5Pget_chunk(creation.id, Int32(chunk.count), &chunk)
        }
        description.chunk = chunk.map { Int(clamping: $0) }
        var options: UInt32 = 0
        try Library.check("H5Pget_chunk_opts", on: name) {
          H5Pget_chunk_opts(creation.id, &options)
        }
        description.filtersPartialChunks = options == 0
      }
      return description
    }
  }

  private func storage(of creation: hid_t) throws(HDF5Error) -> StorageKind {
    switch H5Pget_layout(creation) {
    case H5D_CHUNKED: return .chunked
    case H5D_COMPACT: return .compact
    case H5D_VIRTUAL: return .virtual
    case H5D_CONTIGUOUS: return H5Pget_external_count(creation) > 0 ? .external : .contiguous
    default: throw .current("H5Pget_layout", on: name)
    }
  }

  private func filters(of creation: hid_t) throws(HDF5Error) -> [Filter] {
    let count = H5Pget_nfilters(creation)
    if count < 0 { throw .current("H5Pget_nfilters", on: name) }
    var filters: [Filter] = []
    for position in 0..<UInt32(count) {
      var flags: UInt32 = 0
      var valueCount = 8
      var values = [UInt32](repeating: 0, count: valueCount)
      let filter = H5Pget_filter2(
        creation,
        position,
        &flags,
        &valueCount,
        &values,
        0,
        nil,
        nil
      )
      switch filter {
      case _ where filter < 0: throw .current("H5Pget_filter2", on: name)
      case H5Z_FILTER_SHUFFLE: filters.append(.shuffle)
      case H5Z_FILTER_DEFLATE: filters.append(.deflate(level: Int(values[0])))
      case H5Z_FILTER_FLETCHER32: filters.append(.fletcher32)
      default: filters.append(.other(id: Int(filter)))
      }
    }
    return filters
  }

  private func fillValue(
    of creation: hid_t,
    _ element: ElementType,
    _ type: hid_t
  ) throws(HDF5Error) -> [UInt8]? {
    var status = H5D_FILL_VALUE_ERROR
    try Library.check("H5Pfill_value_defined", on: name) {
      H5Pfill_value_defined(creation, &status)
    }
    guard status == H5D_FILL_VALUE_USER_DEFINED, element.size > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: element.size)
    try Library.check("H5Pget_fill_value", on: name) { H5Pget_fill_value(creation, type, &bytes) }
    return bytes
  }
}

/// Sizes of axes.
enum Dataspace {
  /// Calls `H5Screate_simple`, or `H5Screate` for a scalar.
  static func make(_ shape: [Int], maximum: [Int?]?) throws(HDF5Error) -> Handle {
    if shape.isEmpty {
      return try Handle("H5Screate", on: nil, closer: H5Sclose) { H5Screate(H5S_SCALAR) }
    }
    let current = shape.map(hsize_t.init)
    let limit = (maximum ?? shape).map { $0.map(hsize_t.init) ?? chdf5_unlimited() }
    return try Handle("H5Screate_simple", on: nil, closer: H5Sclose) {
      H5Screate_simple(Int32(shape.count), current, limit)
    }
  }

  /// Calls `H5Sget_simple_extent_dims`.
  static func extent(
    _ space: hid_t,
    of object: String
  ) throws(HDF5Error) -> (shape: [Int], maximum: [Int?]) {
    let rank = H5Sget_simple_extent_ndims(space)
    if rank < 0 { throw .current("H5Sget_simple_extent_ndims", on: object) }
    if H5Sget_simple_extent_type(space) == H5S_NULL { return ([0], [0]) }
    var shape = [hsize_t](repeating: 0, count: Int(rank))
    var maximum = shape
    try Library.check("H5Sget_simple_extent_dims", on: object) {
      rank == 0 ? 0 : H5Sget_simple_extent_dims(space, &shape, &maximum)
    }
    return (
      shape.map { Int(clamping: $0) },
      maximum.map { $0 == chdf5_unlimited() ? nil : Int(clamping: $0) }
    )
  }
}
