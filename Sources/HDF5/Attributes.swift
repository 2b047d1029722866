private import CHDF5
import Glibc
package import RelabelFormat

/// An attribute in the object header is under 64 KiB, so larger ones are not ours to read.
private let largestAttribute = 65_536

extension Object where Self: ~Copyable {
  /// Writes a scalar string of exactly its length; `text` must not be empty.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ text: String) throws(HDF5Error) {
    try setAttribute(attribute, bytes: Array(text.utf8))
  }

  /// Writes a scalar string from its UTF-8 bytes; not empty.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, bytes: [UInt8]) throws(HDF5Error) {
    try write(attribute, .utf8(bytes: bytes.count), shape: [], bytes)
  }

  /// Writes a scalar 64-bit integer.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ value: Int64) throws(HDF5Error) {
    try write(attribute, .int64, shape: [], [value.littleEndian])
  }

  /// Writes a one-dimensional array of 64-bit integers.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ values: [Int64]) throws(HDF5Error) {
    try write(attribute, .int64, shape: [values.count], values.map(\.littleEndian))
  }

  /// Writes a scalar double.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ value: Double) throws(HDF5Error) {
    try write(attribute, .float64, shape: [], [value])
  }

  /// Writes a scalar float.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ value: Float) throws(HDF5Error) {
    try write(attribute, .float32, shape: [], [value])
  }

  /// Writes a one-dimensional array of floats.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, _ values: [Float]) throws(HDF5Error) {
    try write(attribute, .float32, shape: [values.count], values)
  }

  /// Writes a one-dimensional array of doubles.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(_ attribute: String, doubles: [Double]) throws(HDF5Error) {
    try write(attribute, .float64, shape: [doubles.count], doubles)
  }

  /// Writes one element of any type from its little-endian bytes.
  ///
  /// Calls `H5Awrite`.
  package func setAttribute(
    _ attribute: String,
    _ type: ElementType,
    bytes: [UInt8]
  ) throws(HDF5Error) {
    try write(attribute, type, shape: [], bytes)
  }

  private func write<Element>(
    _ attribute: String,
    _ type: ElementType,
    shape: [Int],
    _ values: [Element]
  ) throws(HDF5Error) {
    let object = "\(name)@\(attribute)"
    let datatype = try type.makeDatatype()
    let space = try Dataspace.make(shape, maximum: nil)
    let handle = try Handle("H5Acreate2", on: object, closer: H5Aclose) {
      H5Acreate2(id, attribute, datatype.id, space.id, 0, 0)
    }
    try Library.check("H5Awrite", on: object) {
      values.withUnsafeBytes { H5Awrite(handle.id, datatype.id, $0.baseAddress) }
    }
  }

  /// Writes an attribute of another object here as it is: type, shape and bytes.
  ///
  /// Calls `H5Aread` and `H5Awrite`.
  /// - Throws: the library's error, or a refusal of an attribute that no object header can hold.
  package func copyAttribute<Other: Object & ~Copyable>(
    _ attribute: String,
    from other: borrowing Other
  ) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      let object = "\(other.name)@\(attribute)"
      let original = try Handle("H5Aopen", on: object, closer: H5Aclose) {
        H5Aopen(other.id, attribute, 0)
      }
      let type = try Handle("H5Aget_type", on: object, closer: H5Tclose) {
        H5Aget_type(original.id)
      }
      let space = try Handle("H5Aget_space", on: object, closer: H5Sclose) {
        H5Aget_space(original.id)
      }
      let (count, size) = (H5Sget_simple_extent_npoints(space.id), H5Tget_size(type.id))
      guard (1...largestAttribute).contains(Int(count)), size <= largestAttribute / Int(count)
      else {
        throw HDF5Error(call: "H5Aread", object: object, "the attribute is too large")
      }
      var bytes = [UInt8](repeating: 0, count: size * Int(count))
      try Library.check("H5Aread", on: object) { H5Aread(original.id, type.id, &bytes) }
      let copy = try Handle("H5Acreate2", on: "\(name)@\(attribute)", closer: H5Aclose) {
        H5Acreate2(id, attribute, type.id, space.id, 0, 0)
      }
      try Library.check("H5Awrite", on: "\(name)@\(attribute)") {
        H5Awrite(copy.id, type.id, bytes)
      }
    }
  }

  /// Names of all attributes, sorted; one more than `limit` at most.
  ///
  /// Calls `H5Aiterate2`: asking by number builds the library's table anew each time.
  package func attributeNames(limit: Int = .max) throws(HDF5Error) -> [String] {
    try storedNames(limit: limit).map(Self.text).sorted()
  }

  /// All attributes, in the order of the bytes of their names; nil when there are more than `limit`.
  ///
  /// Calls `H5Aiterate2` and `H5Aread`.
  package func attributes(limit: Int) throws(HDF5Error) -> [Attribute]? {
    // By the bytes of their names, which need not be UTF-8.
    let names = try storedNames(limit: limit)
    guard names.count <= limit else { return nil }
    var attributes: [Attribute] = []
    for name in names.sorted(by: Self.precedes) {
      if let attribute = try attribute(stored: name) { attributes.append(attribute) }
    }
    return attributes
  }

  private static func precedes(_ one: [CChar], _ other: [CChar]) -> Bool {
    one.lexicographicallyPrecedes(other) { UInt8(bitPattern: $0) < UInt8(bitPattern: $1) }
  }

  private static func text(_ name: [CChar]) -> String {
    String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Names of all attributes as C strings.
  private func storedNames(limit: Int) throws(HDF5Error) -> [[CChar]] {
    var found = (names: [[CChar]](), limit: limit)
    try Library.check("H5Aiterate2", on: name) {
      withUnsafeMutablePointer(to: &found) { found in
        H5Aiterate2(
          id,
          H5_INDEX_NAME,
          H5_ITER_NATIVE,
          nil,
          { _, name, _, context in
            guard let name, let context else { return -1 }
            let found = context.assumingMemoryBound(to: (names: [[CChar]], limit: Int).self)
            let bytes = UnsafeBufferPointer(start: name, count: strlen(name) + 1)
            found.pointee.names.append(Array(bytes))
            return found.pointee.names.count > found.pointee.limit ? 1 : 0
          },
          found
        )
      }
    }
    return found.names
  }

  /// Reads an attribute with its type, or nil when there is none of that name.
  ///
  /// Calls `H5Aread`.
  package func attribute(_ attribute: String) throws(HDF5Error) -> Attribute? {
    try self.attribute(stored: attribute.utf8CString.map(\.self))
  }

  private func attribute(stored bytes: [CChar]) throws(HDF5Error) -> Attribute? {
    try Library.locked { () throws(HDF5Error) -> Attribute? in
      let attribute = Self.text(bytes)
      let object = "\(name)@\(attribute)"
      let exists = H5Aexists(id, bytes)
      if exists < 0 { throw .current("H5Aexists", on: object) }
      if exists == 0 { return nil }
      let handle = try Handle("H5Aopen", on: object, closer: H5Aclose) { H5Aopen(id, bytes, 0) }
      let stored = try Handle("H5Aget_type", on: object, closer: H5Tclose) {
        H5Aget_type(handle.id)
      }
      let type = ElementType(describing: stored.id)
      let space = try Handle("H5Aget_space", on: object, closer: H5Sclose) {
        H5Aget_space(handle.id)
      }
      let (shape, _) = try Dataspace.extent(space.id, of: object)
      let unread = Attribute(name: attribute, type: type, shape: shape, value: nil)
      guard let count = unread.count else { return unread }
      let value = try read(handle.id, type, count: count, object)
      return Attribute(name: attribute, type: type, shape: shape, value: value)
    }
  }

  private func read(
    _ handle: hid_t,
    _ type: ElementType,
    count: Int,
    _ object: String
  ) throws(HDF5Error) -> AttributeValue? {
    guard AttributeValue.isRead(type, count: count) else { return nil }
    let datatype = try type.makeDatatype()
    var bytes = [UInt8](repeating: 0, count: type.size * count)
    try Library.check("H5Aread", on: object) { H5Aread(handle, datatype.id, &bytes) }
    return AttributeValue(bytes, type, count: count)
  }

  /// True when attributes lie in the object header, not in a heap.
  ///
  /// Calls `H5Oget_info2`.
  package func hasCompactAttributes() throws(HDF5Error) -> Bool {
    var info = chdf5_object_info()
    try Library.check("H5Oget_info2", on: name) { H5Oget_info2(id, &info, H5O_INFO_META_SIZE) }
    return info.meta_size.attr.heap_size == 0 && info.meta_size.attr.index_size == 0
  }
}
