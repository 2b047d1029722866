package import Relabel

/// What lies in an HDF5 file of another program, for this module, which does not know the HDF5 library.
///
/// Who implements it reads the file in a process of its own: it may crash the library.
package protocol ForeignArrays: Sendable {
  /// Hands over every array of the file, and whatever lies in an array's place.
  ///
  /// - Throws: `.usage` for a shard, `.invalidInput` or `.unsafeInput` for a file that can't be read, `.io`, and what
  ///   `receive` throws.
  func list(
    _ path: String,
    receive: (ForeignArray) throws(RelabelError) -> Void
  ) throws(RelabelError)

  /// Begins to read arrays front to back, one behind the other.
  func read(_ request: ForeignRequest) throws(RelabelError) -> any ForeignBytes
}

/// The bytes of arrays, in pieces; belongs to one thread at a time.
package protocol ForeignBytes: AnyObject {
  /// The next piece, nil behind the last.
  ///
  /// - Throws: as `ForeignArrays.list`.
  func next() throws(RelabelError) -> [UInt8]?
}

/// An array of an HDF5 file as the file describes it.
package struct ForeignArray: Hashable, Sendable {
  /// What distinguishes arrays that are not read alike.
  package struct Form: Hashable, Sendable {
    package let type: String
    package let isBigEndian: Bool
    package let shape: [Int]
  }

  /// The word for text among types.
  package static let text: String = "text"

  /// The way to the array, without a slash in front.
  package var path: String
  /// Why it is not read, in words; then nothing else is known.
  package let fault: String?
  /// True where reading it could do harm.
  package let isUnsafe: Bool
  /// NumPy's word for the type without its order of bytes, such as `f4`, or `text`.
  package var type = ""
  package var isBigEndian = false
  package var shape: [Int] = []
  package var itemBytes = 0
  /// Bytes that the file stores of it.
  package var storedBytes = 0

  package init(path: String, fault: String? = nil, isUnsafe: Bool = false) {
    (self.path, self.fault, self.isUnsafe) = (path, fault, isUnsafe)
  }

  package var form: Form { Form(type: type, isBigEndian: isBigEndian, shape: shape) }

  /// Bytes of the unpacked array; the largest number when that overflows.
  package var dataBytes: Int { checkedProduct(of: shape + [itemBytes]) ?? .max }
}

/// What is to be read of a file.
package struct ForeignRequest: Sendable {
  package let path: String
  /// The arrays, all of one form.
  package let names: NameTable
  /// One of them.
  package let array: ForeignArray
  /// The axis of images; nil for arrays that are one image each.
  package let rows: Int?
}

extension ForeignArray {
  /// The array as a helper sends it.
  package var json: JSON {
    var words: [String: JSON] = ["path": .string(path)]
    if let fault {
      words["fault"] = .string(fault)
      if isUnsafe { words["is_unsafe"] = .bool(true) }
      return .object(words)
    }
    words["type"] = .string(type)
    if isBigEndian { words["is_big_endian"] = .bool(true) }
    words["shape"] = .array(shape.map { .integer(Int64($0)) })
    words["item_bytes"] = .integer(Int64(itemBytes))
    words["stored_bytes"] = .integer(Int64(storedBytes))
    return .object(words)
  }

  /// Reads the array again, from a sender who is not trusted; nil for what is none.
  package init?(_ json: JSON) {
    guard let path = json["path"]?.string, !path.isEmpty else { return nil }
    self.init(
      path: path,
      fault: json["fault"]?.string,
      isUnsafe: json["is_unsafe"] == .bool(true)
    )
    if fault != nil { return }
    guard let type = json["type"]?.string, let sizes = json["shape"]?.array,
      let item = json["item_bytes"]?.integer, let stored = json["stored_bytes"]?.integer
    else { return nil }
    (self.type, itemBytes, storedBytes) = (type, Int(item), Int(stored))
    shape = sizes.compactMap(\.integer).map { Int($0) }
    isBigEndian = json["is_big_endian"] == .bool(true)
    guard shape.count == sizes.count, shape.allSatisfy({ $0 > 0 }), itemBytes > 0, storedBytes >= 0
    else { return nil }
  }
}
